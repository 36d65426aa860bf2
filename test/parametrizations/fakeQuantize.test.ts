import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyRecipe,
  type FakeQuantize,
  type FakeQuantizeOptions,
  fakeQuantize,
  isParametrized,
  lora,
  nn,
  parametrizationsOn,
  parametrize,
  prune,
  recipeOf,
  removeParametrizations,
  valueOf,
  weightNorm,
} from '../../src/index.ts';
import '../../src/layers/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { disposeHost } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

interface Host {
  weight: tf.Tensor;
}

const hostOf = (values: number[], shape: number[] = [values.length]): Host => ({
  weight: tf.tidy(() => tf.variable(tf.tensor(values, shape))),
});

const mapOf = (host: object, name = 'weight', step = 0): FakeQuantize =>
  parametrizationsOn(host, name)[step] as FakeQuantize;

const numbersIn = (host: Host): number[] => inTidy(() => flatten(host.weight));

// The gradient passes straight through, so there are no central differences of it.
describeEntryLaws(fakeQuantize as unknown as Entry, {
  orders: [],
  cases: [
    { shape: [3, 4] },
    { shape: [4, 3], options: { bits: 4, dim: 0 } },
    { shape: [4, 8], options: { bits: 4, groupSize: 4 } },
    { shape: [5, 3], options: { symmetric: false, dim: -1 } },
    { shape: [2, 3, 2, 2], options: { bits: 3, dim: [0, 1], symmetric: false } },
    { shape: [7], options: { bits: 2 } },
  ],
});

describe('fakeQuantize', () => {
  it('moves every element to the nearest integer times the scale, the largest one exactly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 2, max: 16 }),
        fc.boolean(),
        (values, bits, symmetric) => {
          const host = hostOf(values);
          fakeQuantize(host, 'weight', { bits, symmetric });
          const map = mapOf(host);
          const [scale] = flatten(map.scale) as [number];
          inTidy(() => {
            const [zero] = flatten(map.currentGrid().zeroPoint) as [number];
            const value = flatten(host.weight);
            value.forEach((one, i) => {
              const q = Math.round(one / scale) + zero;
              expect(q >= map.range[0] && q <= map.range[1]).toBe(true);
              expect(value[i]! + 0).toBe(Math.fround(Math.fround(q - zero) * scale) + 0);
              // A zero point is rounded, so an end may be half a step farther.
              const error = Math.abs(value[i]! - Math.fround(values[i]!));
              expect(error).toBeLessThanOrEqual((symmetric ? 0.501 : 1.001) * scale);
            });
          });
          disposeHost(host);
        },
      ),
    );
  });

  it('passes the gradient where the integer is in the range before it is limited', () => {
    const host = hostOf([-3, -2, 0, 1, 2]);
    const { weight } = host;
    fakeQuantize(host, 'weight', { bits: 2 });
    // One step beyond the range of −2…2 rounds into it.
    inTidy(() => {
      (weight as tf.Variable).assign(tf.tensor1d([-4.51, -4.4, 0.1, 3, 4.6]));
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(host.weight)), [weight as tf.Variable]);
      expect(numbersIn(host)).toEqual([-3, -3, 0, 3, 3]);
      expect(flatten(Object.values(grads)[0]!).map((x) => x + 0)).toEqual([0, -6, 0, 6, 0]);
      // The gradient is linear in that of the value.
      const f = (x: tf.Tensor): tf.Tensor => mapOf(host).call(x);
      const ofDy = tf.grad((dy) => tf.sum(tf.grad(f)(weight, dy)));
      expect(flatten(ofDy(tf.ones([5])))).toEqual([0, 1, 1, 1, 0]);
    });
    disposeHost(host);
  });

  it('makes zeros of zeros, and keeps constants, also with a scale of zero', () => {
    for (const options of [
      {},
      { symmetric: false },
      { learned: true },
      { dim: 0 },
      { observer: 'minMax' },
    ] as FakeQuantizeOptions[]) {
      const zero = hostOf([0, 0, 0, 0], [2, 2]);
      fakeQuantize(zero, 'weight', options);
      expect(numbersIn(zero)).toEqual([0, 0, 0, 0]);
      expect(Math.min(...flatten(mapOf(zero).scale))).toBe(2 ** -23);
      const constant = hostOf([2, 2, 2, 2], [2, 2]);
      fakeQuantize(constant, 'weight', { ...options, learned: false });
      expect(numbersIn(constant)).toBeAllClose([2, 2, 2, 2]);
      inTidy(() => (mapOf(constant).scale as tf.Variable).assign(tf.zerosLike(mapOf(constant).scale)));
      if (options.observer === undefined) {
        expect(Math.max(...numbersIn(constant))).toBeLessThan(4e-5);
      }
      for (const host of [zero, constant]) disposeHost(host);
    }
  });

  it('keeps NaN, limits infinity, and takes scalars and tensors without elements', () => {
    const host = hostOf([1, 2]);
    fakeQuantize(host);
    inTidy(() => {
      const x = tf.tensor1d([Number.NaN, Number.POSITIVE_INFINITY]);
      expect(flatten(mapOf(host).call(x))).toBeAllClose([Number.NaN, 2]);
      expect(flatten(mapOf(host).call(tf.neg(x)))).toBeAllClose([Number.NaN, -2]);
    });
    const scalar = hostOf([3], []);
    fakeQuantize(scalar);
    expect(numbersIn(scalar)).toBeAllClose([3]);
    const empty = hostOf([], [0, 3]);
    fakeQuantize(empty, 'weight', { dim: 1 });
    expect(empty.weight.shape).toEqual([0, 3]);
    for (const one of [host, scalar, empty]) disposeHost(one);
  });

  it('keeps its scale for a value of the grid, and gives any other slice a new one', () => {
    const host = hostOf([1, 0.5, 3, 1], [2, 2]);
    fakeQuantize(host, 'weight', { dim: 0 });
    const before = flatten(mapOf(host).scale);
    inTidy(() => {
      host.weight = tf.mul(host.weight, tf.tensor2d([[0], [1]]));
      expect(flatten(mapOf(host).scale)).toEqual(before);
      host.weight = tf.tensor2d([
        [5, 1],
        [0, 0],
      ]);
    });
    expect(flatten(mapOf(host).scale)).toBeAllClose([5 / 127, before[1]!]);
    expect(numbersIn(host)).toBeAllClose([5, Math.round(127 / 5) * (5 / 127), 0, 0]);
    disposeHost(host);
  });

  it('moves the scale with an observer while it trains, and not in evaluation mode', () => {
    const layer = new nn.Linear(2, 1, { bias: false });
    inTidy(() => (layer.weight as tf.Variable).assign(tf.tensor2d([[1, -1]])));
    fakeQuantize(layer, { observer: 'minMax' });
    const { original } = layer.parametrizations!.weight!;
    const read = (): number[] => inTidy(() => flatten(layer.weight));
    layer.eval();
    inTidy(() => original!.assign(tf.tensor2d([[4, 0]])));
    expect(read()).toBeAllClose([1, 0]);
    layer.train();
    expect(read()).toBeAllClose([4, 0]);
    expect(flatten(mapOf(layer).min_val!)).toEqual([-1]);
    layer.dispose();
  });

  it('trains the scale with the gradient of its steps, and keeps it above zero', () => {
    const host = hostOf([0.1, 0.2, -5, 7]);
    fakeQuantize(host, 'weight', { bits: 4, learned: true, symmetric: false });
    const [scale, point] = [mapOf(host).scale, mapOf(host).zero_point] as [tf.Variable, tf.Variable];
    expect([scale, point].map((one) => [one.trainable, one.dtype])).toEqual([
      [true, 'float32'],
      [true, 'float32'],
    ]);
    inTidy(() => scale.assign(tf.tensor1d([-1])));
    expect(numbersIn(host).every(Number.isFinite)).toBe(true);
    const { grads } = inTidy(() => tf.variableGrads(() => tf.sum(host.weight))) as {
      grads: tf.NamedTensorMap;
    };
    expect(Object.keys(grads)).toHaveLength(3);
    disposeHost(host);
  });

  it('has groups along the inputs of modules and of layers of tf.layers', () => {
    const linear = new nn.Linear(8, 3);
    fakeQuantize(linear, { bits: 4, groupSize: 4 });
    expect(mapOf(linear).scale.shape).toEqual([3, 2]);
    const conv = new nn.Conv2d(4, 3, 2);
    fakeQuantize(conv, { groupSize: 2 });
    expect(mapOf(conv).scale.shape).toEqual([3, 2]);
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 4, 4] }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 5 }),
      ],
    });
    const [first, , dense] = model.layers as [tf.layers.Layer, tf.layers.Layer, tf.layers.Layer];
    fakeQuantize(first, { groupSize: 2 });
    fakeQuantize(dense, { groupSize: 9, symmetric: false });
    expect(mapOf(first, 'kernel').scale.shape).toEqual([2, 3]);
    expect(mapOf(dense, 'kernel').scale.shape).toEqual([3, 5]);
    expect(String(mapOf(dense, 'kernel'))).toBe(
      'FakeQuantize(bits=8, symmetric=false, dim=1, groupSize=9, groupDim=0, range=[0, 255])',
    );
    for (const one of [linear, conv, model]) one.dispose();
  });

  it('keeps the exact zeros of a mask before it, also with a zero point', () => {
    for (const symmetric of [true, false]) {
      nn.manualSeed(2);
      const layer = new nn.Linear(6, 4);
      weightNorm(layer);
      prune(layer, { fraction: 0.5 });
      fakeQuantize(layer, { symmetric, bits: 4, dim: 0 });
      const value = inTidy(() => flatten(layer.weight));
      const mask = flatten((parametrizationsOn(layer, 'weight')[1] as unknown as { mask: tf.Tensor }).mask);
      expect(value.filter((x, i) => mask[i] === 0 && x !== 0)).toEqual([]);
      layer.dispose();
    }
  });

  it('adds a second step with a second call, whose numbers are the value; rules refuse that', async () => {
    nn.manualSeed(5);
    const layer = new nn.Linear(6, 4);
    fakeQuantize(layer, { bits: 4 });
    lora(layer, { rank: 2 });
    inTidy(() => {
      for (const one of (parametrizationsOn(layer, 'weight')[1] as nn.Module).parameters()) {
        one.assign(tf.add(one, 0.1));
      }
    });
    fakeQuantize(layer, { bits: 6, dim: 0 });
    expect([...parametrizationsOn(layer, 'weight')].map((one) => one!.constructor.name)).toEqual([
      'FakeQuantize',
      'Lora',
      'FakeQuantize',
    ]);
    expect(await fakeQuantize.contains(layer.weight, 1e-6, { bits: 6, dim: 0 })).toBe(true);
    const other = new nn.Linear(6, 4);
    applyRecipe(other, recipeOf(layer), { catalog: { fakeQuantize, lora } });
    other.loadStateDict(layer.stateDict());
    inTidy(() => expect(flatten(other.weight)).toEqual(flatten(layer.weight)));
    const once = new nn.Linear(6, 4);
    fakeQuantize(once, { bits: 4 });
    expect(() => parametrize(once, [{ type: nn.Linear, apply: fakeQuantize, options: { bits: 6 } }])).toThrow(
      expect.objectContaining({ code: 'CONFLICT' }),
    );
    expect(parametrizationsOn(once, 'weight')).toHaveLength(1);
    for (const one of [layer, other, once]) one.dispose();
  });

  it('says in the report of parametrize that the value moved', () => {
    const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 2));
    const rule = { type: nn.Linear, apply: fakeQuantize, options: { bits: 4 } };
    const report = parametrize(model, [rule]);
    expect(report.moved.map(({ path }) => path)).toEqual(['0', '1']);
    expect(report.moved[0]!.distance).toBeGreaterThan(0.01);
    expect(String(report)).toContain('value moved by');
    expect(parametrize(model, [rule]).unchanged).toHaveLength(2);
    report.undo();
    expect(isParametrized(model[0] as nn.Linear)).toBe(false);
    model.dispose();
  });

  it('stays with the value of a recurrent layer, which it does not move again', () => {
    const lstm = tf.layers.lstm({ units: 3, inputShape: [2, 4] });
    const model = tf.sequential({ layers: [lstm] });
    fakeQuantize(lstm, 'cell.recurrentKernel' as never, { dim: 1 });
    const value = inTidy(() => flatten(valueOf(lstm, 'cell.recurrentKernel')));
    removeParametrizations(lstm, 'cell.recurrentKernel');
    fakeQuantize(lstm, 'cell.recurrentKernel' as never, { dim: 1 });
    inTidy(() => expect(valueOf(lstm, 'cell.recurrentKernel')).toBeAllClose(value));
    model.dispose();
  });

  const refused: readonly (readonly [string, number[], FakeQuantizeOptions])[] = [
    ['OPTION', [3, 2], { bits: 17 }],
    ['OPTION', [3, 2], { bits: 1 }],
    ['OPTION', [3, 2], { range: [1, 3] }],
    ['OPTION', [3, 2], { bits: 4, range: [-8, 8] }],
    ['OPTION', [3, 2], { dim: 2 }],
    ['OPTION', [3, 2], { groupSize: 2, dim: null }],
    ['OPTION', [3, 2], { groupSize: 2, dim: 1, groupDim: 1 }],
    ['OPTION', [3, 2], { groupDim: 1 }],
    ['OPTION', [3, 2], { groupSize: 0 }],
    ['OPTION', [3, 2], { learned: true, observer: 'minMax' }],
    ['OPTION', [3, 2], { learned: true, range: [-3, 0] }],
    ['OPTION', [3, 2], { averagingConstant: 0 }],
    ['SHAPE', [3, 8], { groupSize: 3 }],
    ['SHAPE', [8], { groupSize: 2 }],
  ];
  it.each(refused)(
    'refuses with %s, shape [%s] and options %j, and changes nothing',
    (code, shape, options) => {
      const host = hostOf(
        Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => i),
        shape,
      );
      expect(() => fakeQuantize(host, 'weight', options)).toThrow(expect.objectContaining({ code }));
      expect(isParametrized(host)).toBe(false);
      host.weight.dispose();
    },
  );

  it('refuses tensors of other dtypes and shapes', () => {
    const integers = { weight: tf.tidy(() => tf.variable(tf.tensor1d([1, 2], 'int32'))) as tf.Tensor };
    expect(() => fakeQuantize(integers, 'weight')).toThrow(expect.objectContaining({ code: 'DTYPE' }));
    const host = hostOf([1, 2]);
    fakeQuantize(host);
    expect(() => inTidy(() => mapOf(host).call(tf.ones([3])))).toThrow('made for shape [2], got [3]');
    integers.weight.dispose();
    disposeHost(host);
  });
});
