import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { InstanceNorm1d, InstanceNorm2d, type InstanceNormOptions, init } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { directNorm } from './directNorm.ts';

const both: [string, number[], number, (options?: InstanceNormOptions) => InstanceNorm1d | InstanceNorm2d][] =
  [
    ['InstanceNorm1d', [2, 3, 4], 4, (options) => new InstanceNorm1d(3, options)],
    ['InstanceNorm2d', [2, 3, 2, 3], 6, (options) => new InstanceNorm2d(3, options)],
  ];

describe.each(both)('%s', (name, shape, size, make) => {
  it('computes what its definition says, with and without a batch', () => {
    const layer = make();
    const x = example(shape, 2);
    const { y } = directNorm(Array.from(x.dataSync()), (i) => Math.floor(i / size));
    tf.tidy(() => {
      const output = layer.call(x);
      expect(output.shape).toEqual(shape);
      expect(Array.from(output.dataSync())).toBeAllClose(y, { relative: 1e-4, absolute: 1e-4 });
      const [first] = tf.unstack(x);
      expect(layer.call(first!)).toBeAllClose(tf.unstack(output)[0]!);
      expect(layer.eval().call(x)).toBeAllClose(output);
    });
    expect(layer.stateDict()).toEqual({});
    x.dispose();
  });

  it('tracks the average over the instances, and uses it in evaluation', () => {
    const layer = make({ trackRunningStats: true, momentum: 0.25, affine: true });
    init.constant(layer.weight!, 2);
    init.constant(layer.bias!, 1);
    const x = example(shape);
    const { means, variances } = directNorm(Array.from(x.dataSync()), (i) => Math.floor(i / size));
    const average = (values: number[], channel: number) => (values[channel]! + values[channel + 3]!) / 2;
    const [mean, variance] = [0, 1, 2].map((channel) => [
      0.25 * average(means, channel),
      0.75 + (0.25 * average(variances, channel) * size) / (size - 1),
    ])[0]!;
    layer.call(x).dispose();
    expect(layer.running_mean!.dataSync()[0]!).toBeAllClose(mean!);
    expect(layer.running_var!.dataSync()[0]!).toBeAllClose(variance!);
    expect(layer.num_batches_tracked!).toBeAllClose(0);

    const y = layer.eval().call(x);
    const wanted = (2 * (x.dataSync()[0]! - mean!)) / Math.sqrt(variance! + 1e-5) + 1;
    expect(y.dataSync()[0]!).toBeAllClose(wanted);
    expect(Object.keys(layer.stateDict())).toEqual([
      'weight',
      'bias',
      'running_mean',
      'running_var',
      'num_batches_tracked',
    ]);
    tf.dispose([x, y]);
    layer.dispose();
  });

  it("leaves its statistics where momentum is null, as torch's does", () => {
    const layer = make({ trackRunningStats: true, momentum: null });
    const x = example(shape);
    layer.call(x).dispose();
    expect(layer.running_mean!).toBeAllClose([0, 0, 0]);
    expect(layer.running_var!).toBeAllClose([1, 1, 1]);
    x.dispose();
    layer.dispose();
  });

  it('can be differentiated twice', () => {
    const layer = make({ affine: true, eps: 0.1 });
    init.uniform(layer.weight!, { a: 0.5, b: 2, seed: 1 });
    const x = example(shape);
    expectGradients(() => layer.call(x), [x, ...layer.parameters()]);
    x.dispose();
    layer.dispose();
  });

  it('prints its options as torch does', () => {
    const layer = make();
    expect(layer.toString()).toBe(
      `${name}(3, eps=0.00001, momentum=0.1, affine=false, trackRunningStats=false)`,
    );
  });

  it.each([
    ['another rank', [3], 'it must be [channels, '],
    ['other channels', shape.map((axis, i) => (i === 1 ? 4 : axis)), 'that is 4 channels'],
    ['one number for each variance', shape.map((axis, i) => (i < 2 ? axis : 1)), 'it needs at least 2'],
  ])('refuses %s', (_what, wrong, message) => {
    const layer = make();
    const x = tf.ones(wrong);
    expect(() => layer.call(x)).toThrow(
      expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(message) }),
    );
    x.dispose();
  });

  it('refuses options that it does not have', () => {
    expect(() => make({ afine: true } as never)).toThrow(`${name}: 'afine' is not an option. Did you mean`);
  });
});
