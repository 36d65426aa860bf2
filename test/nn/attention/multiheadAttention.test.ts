import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describe as describeModel, weightNorm } from '../../../src/index.ts';
import { type AttentionOptions, MultiheadAttention } from '../../../src/nn/index.ts';
import { countReads } from '../module/countReads.ts';

type Rows = number[][];

/** softmax(q·kᵀ/√d + mask)·v for one head, in float64; a query without an allowed key gets zeros. */
function head(q: Rows, k: Rows, v: Rows, mask: (i: number, j: number) => number): Rows {
  return q.map((row, i) => {
    const scores = k.map(
      (key, j) => row.reduce((sum, x, d) => sum + x * key[d]!, 0) / Math.sqrt(row.length) + mask(i, j),
    );
    const largest = Math.max(...scores);
    if (largest === -Infinity) return v[0]!.map(() => 0);
    const exps = scores.map((score) => Math.exp(score - largest));
    const total = exps.reduce((sum, x) => sum + x, 0);
    return v[0]!.map((_, d) => exps.reduce((sum, x, j) => sum + (x / total) * v[j]![d]!, 0));
  });
}

/** x·Wᵀ + b with the rows from `first` on of W. */
const project = (x: Rows, weight: Rows, bias: number[], first: number): Rows =>
  x.map((row) =>
    row.map((_, o) => row.reduce((sum, value, i) => sum + value * weight[first + o]![i]!, bias[first + o]!)),
  );

const readsOf = (layer: MultiheadAttention): number =>
  describeModel(layer).rows.find(({ tensor }) => tensor === 'in_proj_weight')!.reads;

describe('MultiheadAttention', () => {
  it('computes what its definition says, for every mask and layout', () => {
    const programs = fc.record({
      L: fc.integer({ min: 1, max: 3 }),
      S: fc.integer({ min: 1, max: 4 }),
      n: fc.integer({ min: 1, max: 2 }),
      batchFirst: fc.boolean(),
      isCausal: fc.boolean(),
      attn: fc.constantFrom('none', 'bool', 'float', 'heads', 'infinite'),
      padding: fc.constantFrom('none', 'bool', 'float'),
      seed: fc.integer({ min: 0, max: 1000 }),
    });
    fc.assert(
      fc.property(programs, ({ L, S, n, batchFirst, isCausal, attn, padding, seed }) => {
        const [E, H] = [4, 2];
        const layer = new MultiheadAttention(E, H, { batchFirst });
        tf.tidy(() => {
          for (const [i, variable] of layer.parameters().entries()) {
            variable.assign(tf.randomUniform(variable.shape, -1, 1, 'float32', seed + i + 1));
          }
          const draw = (length: number, i: number) =>
            tf.randomUniform([n, length, E], -1, 1, 'float32', 7 * seed + i) as tf.Tensor3D;
          const inputs = [draw(L, 1), draw(S, 2), draw(S, 3)] as const;
          const uniform = (shape: number[], i: number) =>
            tf.randomUniform(shape, -1, 1, 'float32', seed + 40 + i);
          const forbidden = (shape: number[], i: number) => tf.greater(uniform(shape, i), 0.4);
          const masks: Record<string, tf.Tensor | null> = {
            none: null,
            bool: forbidden([L, S], 1),
            float: uniform([L, S], 2),
            heads: forbidden([n * H, L, S], 3),
            infinite: tf.where(forbidden([L, S], 4), -Infinity, tf.zeros([L, S])),
          };
          const paddings: Record<string, tf.Tensor | null> = {
            none: null,
            bool: forbidden([n, S], 5),
            float: uniform([n, S], 6),
          };
          const options: AttentionOptions = {
            attnMask: masks[attn]!,
            keyPaddingMask: paddings[padding]!,
            isCausal,
          };
          const [y, weights] = layer.call(
            ...(inputs.map((x) => (batchFirst ? x : tf.transpose(x, [1, 0, 2]))) as [
              tf.Tensor,
              tf.Tensor,
              tf.Tensor,
            ]),
            options,
          );

          const number = (mask: tf.Tensor | null | undefined, ...at: number[]): number => {
            if (mask == null) return 0;
            const value = mask.bufferSync().get(...at) as number;
            return mask.dtype === 'bool' ? (value ? -Infinity : 0) : value;
          };
          const weight = layer.in_proj_weight!.arraySync() as Rows;
          const bias = layer.in_proj_bias!.arraySync() as number[];
          const [q, k, v] = inputs.map((x, i) =>
            x.arraySync().map((rows) => project(rows, weight, bias, i * E)),
          ) as [Rows[], Rows[], Rows[]];
          const outWeight = layer.out_proj.weight.arraySync() as Rows;
          const outBias = layer.out_proj.bias!.arraySync() as number[];
          const wanted = q.map((rows, b) => {
            const heads = Array.from({ length: H }, (_, h) => {
              const part = (x: Rows) => x.map((row) => row.slice((h * E) / H, ((h + 1) * E) / H));
              return head(part(rows), part(k[b]!), part(v[b]!), (i, j) => {
                const pair =
                  attn === 'heads'
                    ? number(options.attnMask, b * H + h, i, j)
                    : number(options.attnMask, i, j);
                return pair + number(options.keyPaddingMask, b, j) + (isCausal && j > i ? -Infinity : 0);
              });
            });
            return project(
              rows.map((_, i) => heads.flatMap((of) => of[i]!)),
              outWeight,
              outBias,
              0,
            );
          });
          expect(batchFirst ? y : tf.transpose(y, [1, 0, 2])).toBeAllClose(tf.tensor(wanted), {
            relative: 1e-4,
            absolute: 1e-5,
          });
          expect(weights!.shape).toEqual([n, L, S]);
        });
        layer.dispose();
      }),
    );
  });

  it('gives the same for one tensor as for three equal ones, and without a batch', () => {
    const layer = new MultiheadAttention(6, 3);
    tf.tidy(() => {
      const x = tf.randomNormal([4, 6]);
      const [y, weights] = layer.call(x, x, x, { averageAttnWeights: false });
      const [same] = layer.call(x, tf.clone(x), tf.clone(x));
      expect(same).toBeAllClose(y);
      expect([y.shape, weights!.shape]).toEqual([
        [4, 6],
        [3, 4, 4],
      ]);
      expect(layer.call(x, x, x, { needWeights: false })[1]).toBeNull();
    });
    layer.dispose();
  });

  it('has gradients for a float mask that is learned', () => {
    const layer = new MultiheadAttention(4, 2);
    tf.tidy(() => {
      const x = tf.randomNormal([3, 4]);
      const mask = tf.tensor2d([
        [0, 1, -Infinity],
        [2, 0, 0],
        [-Infinity, -Infinity, -Infinity],
      ]);
      const gradient = tf.grad((attnMask: tf.Tensor) =>
        tf.sum(tf.square(layer.call(x, x, x, { attnMask })[0])),
      )(mask);
      const values = gradient.arraySync() as Rows;
      expect(values.flat().every(Number.isFinite)).toBe(true);
      expect(values[0]![2]).toBe(0);
      expect(values[1]!.some((value) => value !== 0)).toBe(true);
    });
    layer.dispose();
  });

  it('reads each weight once in a call, and trains the originals of parametrized ones', () => {
    const layer = new MultiheadAttention(4, 2);
    weightNorm(layer, 'in_proj_weight');
    weightNorm(layer.out_proj);
    expect(Object.keys(layer.stateDict())).toContain('parametrizations.in_proj_weight.original1');
    tf.tidy(() => {
      const x = tf.randomNormal([3, 4]);
      const before = readsOf(layer);
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.square(layer.call(x, x, x)[0])) as tf.Scalar,
        layer.parameters(),
      );
      expect(readsOf(layer) - before).toBe(1);
      expect(Object.keys(grads)).toHaveLength(6);
    });
    layer.dispose();
    const plain = new MultiheadAttention(4, 2, { kdim: 3 });
    const weight = plain.k_proj_weight!;
    const reads = countReads(plain, ['k_proj_weight']);
    tf.tidy(() => {
      plain.call(tf.ones([1, 4]), tf.ones([2, 3]), tf.ones([2, 4]));
    });
    expect(reads).toEqual({ k_proj_weight: 1 });
    plain.dispose();
    weight.dispose();
  });

  it('drops weights in training only', () => {
    const layer = new MultiheadAttention(4, 2, { dropout: 1 });
    tf.tidy(() => {
      const x = tf.randomNormal([3, 4]);
      expect(layer.call(x, x, x)[1]).toBeAllClose(tf.zeros([3, 3]));
      layer.eval();
      expect(tf.sum(layer.call(x, x, x)[1]!, 1)).toBeAllClose([1, 1, 1]);
    });
    layer.dispose();
  });

  it('starts from the distributions of torch', () => {
    const layer = new MultiheadAttention(64, 2, { addBiasKv: true });
    tf.tidy(() => {
      const bound = Math.sqrt(6 / (4 * 64));
      const largest = tf.max(tf.abs(layer.in_proj_weight!)).dataSync()[0]!;
      expect(largest).toBeLessThanOrEqual(bound);
      expect(largest).toBeGreaterThan(0.95 * bound);
      expect(layer.in_proj_bias).toBeAllClose(tf.zeros([192]));
      expect(layer.out_proj.bias).toBeAllClose(tf.zeros([64]));
      const deviation = tf.sqrt(tf.moments(tf.concat([layer.bias_k!, layer.bias_v!])).variance);
      expect(Math.abs(deviation.dataSync()[0]! - 1 / 8)).toBeLessThan(0.04);
    });
    layer.dispose();
  });

  it('refuses what does not go together, with nothing left over', () => {
    expect(() => new MultiheadAttention(4, 3)).toThrow('embedDim is 4, which 3 heads do not divide');
    expect(() => new MultiheadAttention(4, 2, { dropout: 2 })).toThrow('dropout is 2');
    expect(() => new MultiheadAttention(4, 2, { batch_first: true } as never)).toThrow('batch_first');
    const layer = new MultiheadAttention(4, 2);
    tf.tidy(() => {
      const [x, other] = [tf.ones([3, 2, 4]), tf.ones([5, 2, 4])];
      expect(() => layer.call(x, tf.ones([3, 4]), x)).toThrow('the key has shape [3, 4]');
      expect(() => layer.call(x, x, 3 as never)).toThrow('the value is number');
      expect(() => layer.call(x, other, x)).toThrow('key and value one length');
      expect(() => layer.call(x, x, x, { attnMask: tf.zeros([3, 5]) })).toThrow(
        'attnMask has shape [3, 5], it must be [3, 3] or [4, 3, 3]',
      );
      expect(() => layer.call(x, x, x, { keyPaddingMask: tf.zeros([3, 2], 'int32') })).toThrow(
        expect.objectContaining({ code: 'DTYPE' }),
      );
      expect(() => layer.call(x, x, x, { attnMask: [] as never })).toThrow('attnMask is Array');
      expect(() => layer.call(x, x, x, { mask: null } as never)).toThrow("'mask' is not an option");
    });
    layer.dispose();
  });
});
