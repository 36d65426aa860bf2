import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { GroupNorm, init } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { directNorm } from './directNorm.ts';

describe('GroupNorm', () => {
  it.each([
    [1, [3, 4]],
    [2, [2, 4, 3]],
    [4, [1, 4, 2, 3]],
    [3, [2, 6, 1, 2, 2]],
  ])('computes what its definition says: %i groups of %o', (groups, shape) => {
    const layer = new GroupNorm(groups, shape[1]!);
    const x = example(shape, 2);
    const size = x.size / shape[0]! / groups;
    const { y } = directNorm(Array.from(x.dataSync()), (i) => Math.floor(i / size));
    const output = layer.call(x);
    expect(output.shape).toEqual(shape);
    expect(Array.from(output.dataSync())).toBeAllClose(y, { relative: 1e-4, absolute: 1e-4 });
    tf.dispose([x, output]);
    layer.dispose();
  });

  it('scales and shifts each channel, not each group', () => {
    const [layer, plain] = [new GroupNorm(1, 2), new GroupNorm(1, 2, { affine: false })];
    const x = example([3, 2, 2]);
    tf.tidy(() => {
      layer.loadStateDict({ weight: tf.tensor1d([2, 3]), bias: tf.tensor1d([1, -1]) });
      const [weight, bias] = [tf.tensor2d([2, 3], [2, 1]), tf.tensor2d([1, -1], [2, 1])];
      expect(layer.call(x)).toBeAllClose(tf.add(tf.mul(plain.call(x), weight), bias));
    });
    expect(plain.stateDict()).toEqual({});
    x.dispose();
    layer.dispose();
  });

  it('can be differentiated twice', () => {
    const layer = new GroupNorm(2, 4, { eps: 0.1 });
    init.uniform(layer.weight!, { a: 0.5, b: 2, seed: 1 });
    const x = example([2, 4, 2]);
    expectGradients(() => layer.call(x), [x, ...layer.parameters()]);
    x.dispose();
    layer.dispose();
  });

  it("has torch's keys, initial values and printed form", () => {
    const layer = new GroupNorm(1, 2);
    const state = Object.entries(layer.stateDict()).map(([key, value]) => `${key} ${value.dataSync()}`);
    expect(state).toEqual(['weight 1,1', 'bias 0,0']);
    expect(layer.toString()).toBe('GroupNorm(1, 2, eps=0.00001, affine=true)');
    layer.dispose();
  });

  it('refuses other channels, groups that do not divide them, and unknown options', () => {
    const layer = new GroupNorm(1, 2);
    const x = tf.ones([2, 3]);
    expect(() => layer.call(x)).toThrow(
      expect.objectContaining({
        code: 'SHAPE',
        message: expect.stringContaining('has shape [2, 3], its axis 1 must have 2 (numChannels)'),
      }),
    );
    expect(() => new GroupNorm(2, 3)).toThrow('numChannels is 3, which 2 groups do not divide');
    expect(() => new GroupNorm(2, 4, { eps: '1' as never })).toThrow(
      expect.objectContaining({ code: 'OPTION' }),
    );
    x.dispose();
    layer.dispose();
  });
});
