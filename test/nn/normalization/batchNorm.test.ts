import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchNorm1d, BatchNorm2d, type BatchNormOptions, init, Sequential } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { directNorm } from './directNorm.ts';

const layerFor = (shape: readonly number[], options?: BatchNormOptions) =>
  shape.length === 4 ? new BatchNorm2d(shape[1]!, options) : new BatchNorm1d(shape[1]!, options);

const channelOf = (shape: readonly number[]) => {
  const size = tf.util.sizeFromShape(shape.slice(2));
  return (i: number) => Math.floor(i / size) % shape[1]!;
};

const shapes = fc.oneof(
  fc.tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 4 })),
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 4 })),
  fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 2, max: 4 }),
    fc.integer({ min: 1, max: 3 }),
  ),
);

describe('BatchNorm', () => {
  it('computes what its definition says and moves its statistics, for any shape', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const layer = layerFor(shape);
        const x = example([...shape], 3);
        const count = x.size / shape[1]!;
        const { y, means, variances } = directNorm(Array.from(x.dataSync()), channelOf(shape));
        const output = layer.call(x);
        expect(output.shape).toEqual(shape);
        expect(Array.from(output.dataSync())).toBeAllClose(y, { relative: 1e-4, absolute: 1e-4 });
        expect(layer.running_mean!).toBeAllClose(means.map((mean) => 0.1 * mean));
        expect(layer.running_var!).toBeAllClose(
          variances.map((variance) => 0.9 + (0.1 * variance * count) / (count - 1)),
        );
        expect(layer.num_batches_tracked!).toBeAllClose(1);
        tf.dispose([x, output]);
        layer.dispose();
      }),
    );
  });

  it('scales and shifts each channel', () => {
    const [layer, plain] = [new BatchNorm2d(2), new BatchNorm2d(2, { affine: false })];
    init.constant(layer.weight!, 3);
    init.constant(layer.bias!, -1);
    const x = example([3, 2, 2, 2]);
    tf.tidy(() => {
      expect(layer.call(x)).toBeAllClose(tf.sub(tf.mul(plain.call(x), 3), 1));
    });
    expect([plain.weight, plain.bias]).toEqual([null, null]);
    x.dispose();
    layer.dispose();
    plain.dispose();
  });

  it('uses the running statistics in evaluation, and leaves them as they are', () => {
    const layer = new BatchNorm1d(3, { momentum: 1 });
    const x = example([4, 3, 5]);
    tf.tidy(() => {
      const trained = layer.call(x);
      layer.eval();
      // With momentum 1 they are the batch's, but for the variance, which is divided by n - 1.
      const factor = Math.sqrt(19 / 20);
      expect(layer.call(x)).toBeAllClose(tf.mul(trained, factor), { relative: 1e-4, absolute: 1e-4 });
      expect(layer.call(tf.ones([1, 3]))).toBeAllClose(
        tf.div(tf.sub(1, layer.running_mean!), tf.sqrt(tf.add(layer.running_var!, 1e-5))).as2D(1, 3),
      );
    });
    expect(layer.num_batches_tracked!).toBeAllClose(1);
    x.dispose();
    layer.dispose();
  });

  it('averages over all batches where momentum is null', () => {
    const layer = new BatchNorm1d(1, { momentum: null });
    const batches = [
      [1, 3],
      [5, 5],
      [-3, 7],
    ].map((values) => tf.tensor2d(values, [2, 1]));
    for (const batch of batches) layer.call(batch).dispose();
    expect(layer.running_mean!).toBeAllClose([3]);
    expect(layer.running_var!).toBeAllClose([(2 + 0 + 50) / 3]);
    expect([layer.num_batches_tracked!.dtype, layer.num_batches_tracked!.shape]).toEqual(['int32', []]);
    expect(layer.num_batches_tracked!).toBeAllClose(3);
    tf.dispose(batches);
    layer.dispose();
  });

  it('uses the batch in evaluation too, where it tracks nothing', () => {
    const layer = new BatchNorm1d(3, { trackRunningStats: false });
    const x = example([4, 3]);
    tf.tidy(() => {
      const trained = layer.call(x);
      expect(layer.eval().call(x)).toBeAllClose(trained);
    });
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    x.dispose();
    layer.dispose();
  });

  it.each<[string, number[]]>([
    ['BatchNorm1d', [4, 2]],
    ['BatchNorm1d', [2, 2, 3]],
    ['BatchNorm2d', [2, 2, 1, 2]],
  ])('can be differentiated twice: %s of %o', (_name, shape) => {
    const layer = layerFor(shape, { eps: 0.1 });
    init.uniform(layer.weight!, { a: 0.5, b: 2, seed: 1 });
    const x = example(shape);
    expectGradients(() => layer.call(x), [x, ...layer.parameters()]);
    layer.eval();
    expectGradients(() => layer.call(x), [x, ...layer.parameters()]);
    x.dispose();
    layer.dispose();
  });

  it('moves its statistics once in a gradient, and does not differentiate them', () => {
    const layer = new BatchNorm1d(2);
    const x = example([4, 2]);
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(layer.call(x))));
    expect(layer.num_batches_tracked!).toBeAllClose(1);
    const names = [x, layer.weight!, layer.bias!].map((variable) => (variable as tf.Variable).name);
    expect(Object.keys(grads).sort()).toEqual(names.sort());
    tf.dispose([x, value, grads]);
    layer.dispose();
  });

  it("has torch's keys in torch's order and torch's initial values", () => {
    const layer = new BatchNorm2d(2);
    const state = Object.entries(layer.stateDict());
    expect(state.map(([key, value]) => `${key} ${value.dtype} ${Array.from(value.dataSync())}`)).toEqual([
      'weight float32 1,1',
      'bias float32 0,0',
      'running_mean float32 0,0',
      'running_var float32 1,1',
      'num_batches_tracked int32 0',
    ]);
    expect(layer.namedParameters().map(([name]) => name)).toEqual(['weight', 'bias']);
    layer.dispose();
  });

  it('loads a state dict of old, which does not count the batches', () => {
    const [source, layer] = [new BatchNorm1d(2), new BatchNorm1d(2)];
    const x = example([3, 2]);
    source.call(x).dispose();
    layer.call(x).dispose();
    const { num_batches_tracked, ...old } = source.stateDict();
    expect(layer.loadStateDict(old).missingKeys).toEqual([]);
    expect(layer.running_mean!).toBeAllClose(source.running_mean!);
    expect(layer.num_batches_tracked!).toBeAllClose(1);
    expect(() => layer.loadStateDict({ weight: old['weight']! })).toThrow(
      'missing: bias, running_mean, running_var.',
    );
    x.dispose();
    source.dispose();
    layer.dispose();
  });

  it('loads the state dict of a module in which it stands twice', () => {
    const twice = () => {
      const layer = new BatchNorm1d(2);
      return new Sequential(layer, layer);
    };
    const [source, model] = [twice(), twice()];
    const x = example([3, 2]);
    source.call(x).dispose();
    model.loadStateDict(source.stateDict());
    expect((model[1] as BatchNorm1d).num_batches_tracked!).toBeAllClose(2);
    const { '0.num_batches_tracked': _first, '1.num_batches_tracked': _second, ...old } = source.stateDict();
    expect(model.loadStateDict(old).missingKeys).toEqual([]);
    expect((model[0] as BatchNorm1d).num_batches_tracked!).toBeAllClose(2);
    x.dispose();
    source.dispose();
    model.dispose();
  });

  it('goes its own way in a copy', () => {
    const layer = new BatchNorm1d(2);
    const copy = layer.clone();
    const x = example([3, 2]);
    copy.call(x).dispose();
    expect(layer.num_batches_tracked!).toBeAllClose(0);
    expect(copy.num_batches_tracked!).toBeAllClose(1);
    x.dispose();
    layer.dispose();
    copy.dispose();
  });

  it('prints its options as torch does', () => {
    const layer = new BatchNorm1d(4, { momentum: null, trackRunningStats: false });
    expect(layer.toString()).toBe(
      'BatchNorm1d(4, eps=0.00001, momentum=null, affine=true, trackRunningStats=false)',
    );
    layer.dispose();
  });

  it.each<[string, () => BatchNorm1d | BatchNorm2d, number[], string]>([
    ['another rank', () => new BatchNorm1d(2), [2], 'it must be [n, channels] or [n, channels, length]'],
    ['a sequence as image', () => new BatchNorm2d(2), [1, 2, 3], 'must be [n, channels, height, width]'],
    ['other channels', () => new BatchNorm1d(2), [5, 3], 'that is 3 channels, but numFeatures is 2'],
    ['one number for each channel', () => new BatchNorm1d(2), [1, 2], 'it needs at least 2'],
  ])('refuses %s, and changes nothing', (_what, make, shape, message) => {
    const layer = make();
    const x = tf.ones(shape);
    expect(() => layer.call(x)).toThrow(
      expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(message) }),
    );
    expect(layer.num_batches_tracked!).toBeAllClose(0);
    x.dispose();
    layer.dispose();
  });

  it('refuses options that it does not have', () => {
    const make = (options: object) => () => new BatchNorm1d(2, options as BatchNormOptions);
    expect(make({ epsilon: 1 })).toThrow("BatchNorm1d: 'epsilon' is not an option.");
    expect(make({ momentum: '0.1' })).toThrow('momentum is 0.1, it must be a finite number');
    expect(make({ affine: 1 })).toThrow(expect.objectContaining({ code: 'OPTION' }));
    expect(() => new BatchNorm2d(0)).toThrow('BatchNorm2d: numFeatures is 0');
  });
});
