import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  describe as describeModel,
  isParametrized,
  nn,
  type Prune,
  type PruneOptions,
  parametrizationsOn,
  parametrize,
  prune,
  removeParametrization,
  weightNorm,
} from '../../src/index.ts';
import { roundHalfToEven } from '../../src/parametrizations/masks/amount.ts';
import { definitionOf } from '../../src/parametrize/definition.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { peakOf } from '../peakMemory.ts';
import { flatten } from '../toBeAllClose.ts';

interface Host {
  weight: tf.Tensor;
}

const hostOf = (values: number[], shape: number[] = [values.length]): Host => ({
  weight: tf.tidy(() => tf.variable(tf.tensor(values, shape))),
});

const maskOf = (host: object): number[] => flatten((parametrizationsOn(host, 'weight')[0] as Prune).mask);

const dispose = (host: object): void =>
  (host as { parametrizations: { dispose(): void } }).parametrizations.dispose();

/** Distinct magnitudes of both signs, in a random order. */
const values = fc
  .uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 24 })
  .chain((numbers) => fc.tuple(...numbers.map((x) => fc.constantFrom(x / 8, -x / 8))));

const shares = fc.double({ min: 0, max: 1, noNaN: true });

const zerosIn = (numbers: readonly number[]): number => numbers.filter((x) => x === 0).length;

/** Checks that a mask hides a number of elements, and the smallest of those that another mask shows. */
function expectLowestHidden(mask: number[], before: number[], sizes: number[], hidden: number): void {
  expect(zerosIn(mask)).toBe(hidden);
  const shown = sizes.filter((_, i) => mask[i] === 1);
  const now = sizes.filter((_, i) => mask[i] === 0 && before[i] === 1);
  expect(Math.max(0, ...now)).toBeLessThanOrEqual(Math.min(Number.POSITIVE_INFINITY, ...shown));
  expect(mask.every((one, i) => one <= before[i]!)).toBe(true);
}

describe('prune', () => {
  it('hides a fraction of the smallest, and a second call a fraction of the rest in the same mask', () => {
    fc.assert(
      fc.property(values, shares, shares, (numbers, first, second) => {
        const host = hostOf(numbers);
        const sizes = numbers.map(Math.abs);
        prune(host, 'weight', { fraction: first });
        const mask = maskOf(host);
        const hidden = roundHalfToEven(first * numbers.length);
        expectLowestHidden(
          mask,
          numbers.map(() => 1),
          sizes,
          hidden,
        );
        prune(host, 'weight', { fraction: second });
        const left = numbers.length - hidden;
        expectLowestHidden(maskOf(host), mask, sizes, hidden + roundHalfToEven(second * left));
        expect(parametrizationsOn(host, 'weight').length).toBe(1);
        expect(flatten(host.weight)).toEqual(numbers.map((x, i) => x * maskOf(host)[i]!));
        dispose(host);
      }),
    );
  });

  it('hides a share of all elements with sparsity, and none comes back without regrow', () => {
    const host = hostOf([4, 1, 3, 2, 6, 5, 8, 7]);
    prune(host, 'weight', { sparsity: 0.5 });
    expect(maskOf(host)).toEqual([1, 0, 0, 0, 1, 1, 1, 1].map((one, i) => (i === 0 ? 0 : one)));
    prune(host, 'weight', { sparsity: 0.25 });
    expect(zerosIn(maskOf(host))).toBe(4);
    prune(host, 'weight', { sparsity: 0.75 });
    expect(maskOf(host)).toEqual([0, 0, 0, 0, 0, 0, 1, 1]);
    // The originals of hidden elements count for a mask that is chosen anew.
    inTidy(() => parametrizationsOn(host, 'weight').original!.assign(tf.tensor1d([9, 8, 7, 6, 1, 2, 3, 4])));
    prune(host, 'weight', { sparsity: 0.5, regrow: true });
    expect(maskOf(host)).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
    prune(host, 'weight', { fraction: 0.25, regrow: true });
    expect(maskOf(host)).toEqual([1, 1, 1, 1, 0, 0, 1, 1]);
    dispose(host);
  });

  it('hides a count, and all if fewer are left', () => {
    const host = hostOf([4, 1, 3, 2]);
    prune(host, 'weight', { count: 3 });
    expect(maskOf(host)).toEqual([1, 0, 0, 0]);
    prune(host, 'weight', { count: 3 });
    expect(maskOf(host)).toEqual([0, 0, 0, 0]);
    prune(host, 'weight', { fraction: 1 });
    expect(maskOf(host)).toEqual([0, 0, 0, 0]);
    dispose(host);
  });

  it.each([
    [{ fraction: 0 }, { fraction: 1 }],
    [{ count: 0 }, { count: 16 }],
    [{ sparsity: 0 }, { sparsity: 1 }],
    [
      { count: 0, method: 'random' },
      { count: 16, method: 'random' },
    ],
    [
      { count: 0, dim: 0, norm: 1 },
      { count: 4, dim: 0, norm: 1 },
    ],
    [
      { fraction: 0, dim: -1, norm: Number.POSITIVE_INFINITY },
      { fraction: 1, dim: -1, norm: Number.POSITIVE_INFINITY },
    ],
    [{ nOfM: [4, 4] }, { nOfM: [1, 4] }],
  ] as const)('hides nothing with %j, and all or all but one of each four with %j', (none, all) => {
    const layer = new nn.Linear(4, 4, { bias: false });
    const before = inTidy(() => flatten(layer.weight));
    prune(layer, none as PruneOptions);
    expect(inTidy(() => flatten(layer.weight))).toEqual(before);
    prune(layer, all as PruneOptions);
    expect(zerosIn(maskOf(layer))).toBe('nOfM' in all ? 12 : 16);
    prune(layer, none as PruneOptions);
    expect(zerosIn(maskOf(layer))).toBe('nOfM' in all ? 12 : 16);
    layer.dispose();
  });

  it('hides exactly the number of equal elements that is asked for', () => {
    for (const value of [0, 1, 3e38, Number.POSITIVE_INFINITY]) {
      const host = hostOf(Array<number>(9).fill(value));
      prune(host, 'weight', { count: 4 });
      expect(zerosIn(maskOf(host))).toBe(4);
      prune(host, 'weight', { fraction: 0.4 });
      expect(zerosIn(maskOf(host))).toBe(6);
      dispose(host);
    }
  });

  it('keeps NaN, as torch, and takes scalars and tensors without elements', () => {
    const host = hostOf([1, Number.NaN, 3, -2]);
    prune(host, 'weight', { count: 3 });
    expect(maskOf(host)).toEqual([0, 1, 0, 0]);
    const scalar = hostOf([2], []);
    prune(scalar, 'weight', { fraction: 1 });
    expect(maskOf(scalar)).toEqual([0]);
    const empty = hostOf([], [0, 3]);
    prune(empty, 'weight', { fraction: 0.5 });
    expect(empty.weight.shape).toEqual([0, 3]);
    for (const one of [host, scalar, empty]) dispose(one);
  });

  it('hides the slices with the smallest norms, whatever their magnitude', () => {
    const normOf = (slice: number[], n: number): number =>
      n === Number.POSITIVE_INFINITY
        ? Math.max(...slice.map(Math.abs))
        : slice.reduce((sum, x) => sum + Math.abs(x) ** n, 0) ** (1 / n);
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 }), {
          minLength: 2,
          maxLength: 6,
        }),
        fc.constantFrom(0.5, 1, 2, 3, Number.POSITIVE_INFINITY),
        fc.constantFrom(1e-20, 1, 1e20),
        shares,
        fc.constantFrom(0, 1, -1),
        (rows, norm, scale, fraction, dim) => {
          const flat = rows.flat();
          const axis = dim === 0 ? 0 : 1;
          const host = hostOf(
            flat.map((x) => x * scale),
            [rows.length, 3],
          );
          prune(host, 'weight', { fraction, dim, norm });
          const mask = maskOf(host);
          const count = axis === 0 ? rows.length : 3;
          const slices = Array.from({ length: count }, (_, i) =>
            axis === 0 ? rows[i]! : rows.map((row) => row[i]!),
          );
          const shown = slices.map((_, i) => (axis === 0 ? mask[3 * i]! : mask[i]!));
          expect(mask).toEqual(flat.map((_, i) => shown[axis === 0 ? Math.floor(i / 3) : i % 3]));
          expect(zerosIn(shown)).toBe(roundHalfToEven(fraction * count));
          const norms = slices.map((slice) => normOf(slice, norm));
          const least = Math.min(Number.POSITIVE_INFINITY, ...norms.filter((_, i) => shown[i] === 1));
          const most = Math.max(0, ...norms.filter((_, i) => shown[i] === 0));
          expect(most).toBeLessThanOrEqual(least * (1 + 1e-5));
          dispose(host);
        },
      ),
    );
  });

  it('keeps n of m along the axis of the inputs, also of what a mask shows', () => {
    const layer = new nn.Linear(8, 3);
    prune(layer, { nOfM: [2, 4] });
    const groups = Array.from({ length: 6 }, (_, i) => maskOf(layer).slice(4 * i, 4 * i + 4));
    expect(groups.map(zerosIn)).toEqual([2, 2, 2, 2, 2, 2]);
    const before = maskOf(layer);
    prune(layer, { nOfM: [1, 4], method: 'random' });
    expect(maskOf(layer).every((one, i) => one <= before[i]!)).toBe(true);
    expect(zerosIn(maskOf(layer))).toBe(18);
    const transposed = new nn.ConvTranspose2d(4, 3, 2);
    prune(transposed, { nOfM: [1, 2] });
    const [mask] = [maskOf(transposed)];
    // The inputs are axis 0 here, 12 elements apart.
    for (let i = 0; i < 12; i++) {
      expect(mask![i]! + mask![i + 12]!).toBe(1);
      expect(mask![i + 24]! + mask![i + 36]!).toBe(1);
    }
    for (const one of [layer, transposed]) one.dispose();
  });

  it('draws at random by the seed', () => {
    const masks = [1, 1, 2].map((seed) => {
      const host = hostOf(Array<number>(64).fill(1));
      nn.manualSeed(seed);
      prune(host, 'weight', { fraction: 0.5, method: 'random' });
      const mask = maskOf(host);
      dispose(host);
      expect(zerosIn(mask)).toBe(32);
      return mask;
    });
    expect(masks[1]).toEqual(masks[0]);
    expect(masks[2]).not.toEqual(masks[0]);
  });

  it('takes masks of any dtype, and scores, which stay the caller’s', () => {
    const host = hostOf([1, 2, 3, 4]);
    const given = tf.tidy(() => [
      tf.tensor1d([1, 0, 1, 1], 'bool'),
      tf.tensor1d([5, 5, 0, 5], 'int32'),
      tf.tensor1d([4, 3, 2, -9]),
    ]);
    prune(host, 'weight', { mask: given[0]! });
    expect(maskOf(host)).toEqual([1, 0, 1, 1]);
    prune(host, 'weight', { mask: given[1]! });
    expect(maskOf(host)).toEqual([1, 0, 0, 1]);
    prune(host, 'weight', { mask: given[1]!, regrow: true });
    expect(maskOf(host)).toEqual([1, 1, 0, 1]);
    prune(host, 'weight', { count: 1, scores: given[2]! });
    expect(maskOf(host)).toEqual([1, 0, 0, 1]);
    tf.dispose(given);
    dispose(host);
  });

  it('scores the value of the chain below it, as of weight norm, and keeps no element of it', () => {
    const layer = new nn.Linear(2, 2, { bias: false });
    inTidy(() =>
      (layer.weight as tf.Variable).assign(
        tf.tensor2d([
          [1, 2],
          [30, 40],
        ]),
      ),
    );
    weightNorm(layer);
    prune(layer, { count: 1 });
    expect(inTidy(() => flatten(layer.weight))).toBeAllClose([0, 2, 30, 40]);
    inTidy(() => layer.parametrizations!.weight!.g!.assign(tf.tensor2d([[100], [1]])));
    prune(layer, { count: 1 });
    expect((parametrizationsOn(layer, 'weight')[1] as Prune).mask.dataSync()).toEqual(
      new Float32Array([0, 1, 0, 1]),
    );
    layer.dispose();
  });

  it('has no gradient for hidden elements, and assigns their originals', () => {
    const host = hostOf([1, 2, 3, 4]);
    const original = host.weight as tf.Variable;
    prune(host, 'weight', { count: 2 });
    inTidy(() => {
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(host.weight)), [original]);
      expect(flatten(grads[original.name]!)).toEqual([0, 0, 6, 8]);
      host.weight = tf.tensor1d([9, 8, 7, 6]);
      expect(flatten(host.weight)).toEqual([0, 0, 7, 6]);
    });
    removeParametrization(host, 'weight', 'prune', { keep: 'originals' });
    expect(flatten(host.weight)).toEqual([9, 8, 7, 6]);
    host.weight.dispose();
  });

  const refused: readonly (readonly [string, number[], PruneOptions])[] = [
    ['OPTION', [3, 2], { count: -1 }],
    ['OPTION', [3, 2], { count: 1.5 }],
    ['OPTION', [3, 2], { fraction: 1.1 }],
    ['OPTION', [3, 2], { fraction: '1' as never }],
    ['OPTION', [3, 2], { sparsity: Number.NaN }],
    ['OPTION', [3, 2], { count: 7 }],
    ['OPTION', [3, 2], { count: 3, dim: 1 }],
    ['OPTION', [3, 2], { count: 1, dim: 2 }],
    ['OPTION', [3, 2], { count: 1, dim: 0, norm: 0 }],
    ['OPTION', [3, 2], { count: 1, norm: 2 }],
    ['OPTION', [3, 2], { count: 1, fraction: 0.5 }],
    ['OPTION', [3, 2], { dim: 0 }],
    ['OPTION', [3, 2], { regrow: true }],
    ['OPTION', [3, 2], { fraction: 0.5, method: 'smallest' as never }],
    ['OPTION', [3, 2], { nOfM: [3, 2] }],
    ['OPTION', [3, 2], { nOfM: [1, 2], norm: 1 }],
    ['OPTION', [3, 2], { fraction: 0.5, method: 'random', norm: 1, dim: 0 }],
    ['OPTION', [3, 2], { mask: [1, 0] as never }],
    ['SHAPE', [3], { count: 1, dim: 0 }],
    ['SHAPE', [3], { nOfM: [1, 3] }],
    ['SHAPE', [3, 2], { nOfM: [2, 4] }],
  ];

  it.each(refused)(
    'refuses with %s, shape [%s] and options %j, and changes nothing',
    (code, shape, options) => {
      const size = tf.util.sizeFromShape(shape);
      const plain = hostOf(
        Array.from({ length: size }, (_, i) => i + 1),
        shape,
      );
      expect(() => prune(plain, 'weight', options)).toThrow(expect.objectContaining({ code }));
      expect(isParametrized(plain)).toBe(false);
      prune(plain, 'weight', { count: 1 });
      const before = maskOf(plain);
      expect(() => prune(plain, 'weight', options)).toThrow(expect.objectContaining({ code }));
      expect(maskOf(plain)).toEqual(before);
      dispose(plain);
    },
  );

  it('refuses masks and scores of another shape or without data, and tensors of other dtypes', () => {
    const host = hostOf([1, 2, 3]);
    const [other, gone] = [tf.ones([2]), tf.ones([3])];
    gone.dispose();
    expect(() => prune(host, 'weight', { mask: other })).toThrow(
      'mask has shape [2], the tensor has shape [3]',
    );
    expect(() => prune(host, 'weight', { fraction: 0.5, scores: other })).toThrow('scores has shape [2]');
    expect(() => prune(host, 'weight', { mask: gone })).toThrow(
      expect.objectContaining({ code: 'DISPOSED' }),
    );
    // The text of an error has no numbers of a tensor.
    expect(() => prune(host, 'weight', { fraction: other as never })).toThrow(
      'fraction is a tensor of shape [2]',
    );
    const integers = { weight: tf.tidy(() => tf.variable(tf.tensor1d([1, 2], 'int32'))) as tf.Tensor };
    expect(() => prune(integers, 'weight', { fraction: 0.5 })).toThrow(
      expect.objectContaining({ code: 'DTYPE' }),
    );
    tf.dispose([other, host.weight, integers.weight]);
  });

  it('is a rule of parametrize: a second call does nothing, and append hides more', () => {
    const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 2));
    const rule = { type: nn.Linear, apply: prune, options: { fraction: 0.5 } };
    expect(parametrize(model, [rule]).registered).toHaveLength(2);
    expect(parametrize(model, [rule]).unchanged).toHaveLength(2);
    const further = { ...rule, options: { fraction: 0.25 } };
    expect(() => parametrize(model, [further])).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    const report = parametrize(model, [{ ...further, onConflict: 'append' }]);
    expect(report.registered).toHaveLength(2);
    expect(String(report)).toContain('± Prune');
    expect(zerosIn(maskOf(model[0] as nn.Linear))).toBe(10);
    expect(report.recipe.parametrizations[0]!.steps).toEqual([
      { kind: 'prune', options: { fraction: 0.25 } },
    ]);
    report.undo();
    expect(zerosIn(maskOf(model[0] as nn.Linear))).toBe(10);
    const given = tf.ones([4, 4]);
    const dry = parametrize(
      model,
      [{ match: '0', apply: prune, options: { mask: given }, onConflict: 'append' }],
      {
        dryRun: true,
      },
    );
    expect(String(dry)).toContain('prune(mask=a tensor of shape [4, 4])');
    expect(dry.recipe.parametrizations[0]!.steps).toEqual([{ kind: 'prune', options: {} }]);
    given.dispose();
    model.dispose();
  });

  it('holds as many copies of its weight at once as the definition says, at the first call and the second', () => {
    const { copies } = definitionOf(prune)!;
    for (const options of [
      { fraction: 0.5 },
      { count: 4, dim: 0 },
      { nOfM: [1, 4] as const },
      { sparsity: 0.9 },
    ]) {
      const layer = new nn.Linear(64, 64, { bias: false });
      for (let call = 0; call < 2; call++) {
        const { bytes } = peakOf(() => {
          prune(layer, options);
          const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(layer.weight)));
          tf.dispose([value, grads]);
        });
        expect(bytes / (4 * 64 * 64), JSON.stringify(options)).toBeLessThanOrEqual(copies!);
      }
      layer.dispose();
    }
  });

  it('shows the share of hidden elements where no device has to be waited for', () => {
    const layer = new nn.Linear(4, 3);
    prune(layer, { fraction: 0.25 });
    const text = ['cpu', 'wasm'].includes(tf.getBackend()) ? 'Prune(sparsity=0.25)' : 'Prune()';
    expect(describeModel(layer).rows[0]!.chain).toEqual([text]);
    layer.dispose();
  });
});
