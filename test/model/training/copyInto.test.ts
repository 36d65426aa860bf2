import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyInto, fold, nn, orthogonal, spectralNorm, weightNorm } from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { failure } from '../../parametrize/unchanged.ts';
import { flatten } from '../../toBeAllClose.ts';

const make = (): nn.Sequential =>
  new nn.Sequential(
    weightNorm(new nn.Linear(3, 4)),
    new nn.BatchNorm1d(4),
    spectralNorm(new nn.Linear(4, 4)),
    orthogonal(new nn.Linear(4, 4)),
  );

/** Gives every variable other numbers, and moves the buffers. */
function shake(model: nn.Sequential): void {
  tf.tidy(() => {
    for (const parameter of model.parameters()) parameter.assign(tf.randomUniform(parameter.shape, -1, 1));
    model.call(tf.randomNormal([5, 3]));
  });
}

const numbers = (model: nn.Module): Map<string, number[]> =>
  new Map(Object.entries(model.stateDict()).map(([key, value]) => [key, flatten(value as tf.Tensor)]));

describe('copyInto', () => {
  it('averages parameters and copies buffers, for every decay', () => {
    const [source, target] = [make(), make()];
    const buffers = new Set(source.namedBuffers().map(([key]) => key));
    fc.assert(
      fc.property(fc.constantFrom(0, 0.25, 0.999, 1), (decay) => {
        shake(source);
        shake(target);
        const [before, given] = [numbers(target), numbers(source)];
        copyInto(target, source, { decay });
        for (const [key, values] of numbers(target)) {
          const [s, t] = [given.get(key)!, before.get(key)!];
          const wanted = buffers.has(key) ? s : t.map((x, i) => decay * x + (1 - decay) * s[i]!);
          expect(values, key).toBeAllClose(wanted);
        }
        expect([...numbers(source)]).toEqual([...given]);
      }),
      { numRuns: 8 },
    );
    source.dispose();
    target.dispose();
  });

  it('keeps the vectors of spectral norm unit vectors', () => {
    const [source, target] = [spectralNorm(new nn.Linear(4, 4)), spectralNorm(new nn.Linear(4, 4))];
    copyInto(target, source, { decay: 0.5 });
    const vectors = [...numbers(target)].filter(([key]) => /_[uv]$/.test(key));
    expect(vectors).toHaveLength(2);
    for (const [key, values] of vectors) expect(Math.hypot(...values), key).toBeCloseTo(1, 5);
    source.dispose();
    target.dispose();
  });

  it('averages computed weights into a plain target with folded', () => {
    const source = weightNorm(new nn.Linear(2, 3));
    const target = new nn.Linear(2, 3);
    const [w, t] = tf.tidy(() => [flatten(source.weight), flatten(target.weight)]);
    copyInto(target, source, { decay: 0.75, folded: true });
    expect(flatten(target.weight)).toBeAllClose(w.map((x, i) => 0.25 * x + 0.75 * t[i]!));
    copyInto(target, source, { folded: true });
    fold(source);
    expect(target.weight).toBeAllClose(source.weight);
    source.dispose();
    target.dispose();
  });

  it('copies between models of tf.layers with the same names, moving averages exactly', () => {
    const make = (): tf.Sequential =>
      tf.sequential({
        layers: [
          tf.layers.dense({ units: 2, inputShape: [3], name: 'first' }),
          tf.layers.batchNormalization({ name: 'norm' }),
        ],
      });
    const [source, target] = [make(), make()];
    for (const model of [source, target]) weightNorm(model.layers[0]! as never, 'kernel');
    tf.tidy(() => {
      for (const weight of source.weights) weight.write(tf.randomUniform(weight.shape as number[], 1, 2));
    });
    const before = target.weights.map((weight) => flatten(weight.read()));
    copyInto(target, source, { decay: 0.5 });
    target.weights.forEach((weight, i) => {
      const s = flatten(source.weights[i]!.read());
      const isMoving = /moving/.test(weight.originalName);
      const wanted = s.map((x, k) => (isMoving ? x : (x + before[i]![k]!) / 2));
      expect(flatten(weight.read()), weight.originalName).toBeAllClose(wanted);
    });
    source.dispose();
    target.dispose();
  });

  it('refuses other names, shapes and dtypes, shared variables and disposed models, with nothing changed', () => {
    const code = (run: () => unknown): string => failure(run).split(':')[0]!;
    const [a, b, c] = [new nn.Linear(2, 3), new nn.Linear(2, 4), weightNorm(new nn.Linear(2, 3))];
    const before = [...numbers(a)];
    expect(code(() => copyInto(a, b))).toBe('SHAPE');
    expect(failure(() => copyInto(a, c))).toMatch(
      /STATE_DICT.*the target has no 'parametrizations.weight.original0'.*the source has no 'weight'/,
    );
    expect(code(() => copyInto(c, a, { folded: true }))).toBe('ALREADY_PARAMETRIZED');
    expect(code(() => copyInto(a, c, { decay: 2 }))).toBe('OPTION');
    expect(code(() => copyInto(a, c, { decays: 2 } as never))).toBe('OPTION');
    expect(code(() => copyInto(a, 3 as never))).toBe('UNSUPPORTED_HOST');
    const int = { weight: tf.tidy(() => tf.variable(tf.ones([3, 2], 'int32'))) };
    const float = { weight: tf.tidy(() => tf.variable(tf.ones([3, 2]))) };
    expect(code(() => copyInto(float, int))).toBe('DTYPE');
    const tied = { one: float.weight, two: float.weight };
    const apart = { one: float.weight, two: int.weight };
    expect(code(() => copyInto(tied, apart))).toBe('TIED');
    expect([...numbers(a)]).toEqual(before);
    b.dispose();
    expect(code(() => copyInto(a, b))).toBe('DISPOSED');
    tf.dispose([int.weight, float.weight]);
    a.dispose();
    c.dispose();
  });
});
