import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { init, LayerNorm, type LayerNormOptions } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { directNorm } from './directNorm.ts';

const sizes = (minLength: number) => fc.array(fc.integer({ min: 1, max: 4 }), { minLength, maxLength: 2 });

describe('LayerNorm', () => {
  it('computes what its definition says, over any number of last axes', () => {
    fc.assert(
      fc.property(sizes(0), sizes(1), (leading, last) => {
        const layer = new LayerNorm(last);
        const x = example([...leading, ...last], 2);
        const size = tf.util.sizeFromShape(last);
        const { y } = directNorm(Array.from(x.dataSync()), (i) => Math.floor(i / size));
        const output = layer.call(x);
        expect(output.shape).toEqual([...leading, ...last]);
        expect(Array.from(output.dataSync())).toBeAllClose(y, { relative: 1e-4, absolute: 1e-4 });
        tf.dispose([x, output]);
        layer.dispose();
      }),
    );
  });

  it('scales and shifts each element', () => {
    const [layer, plain] = [new LayerNorm([2, 2]), new LayerNorm([2, 2], { elementwiseAffine: false })];
    const x = example([3, 2, 2]);
    tf.tidy(() => {
      layer.loadStateDict({
        weight: tf.tensor2d([1, 2, 3, 4], [2, 2]),
        bias: tf.tensor2d([4, 3, 2, 1], [2, 2]),
      });
      expect(layer.call(x)).toBeAllClose(tf.add(tf.mul(plain.call(x), layer.weight!), layer.bias!));
    });
    x.dispose();
    layer.dispose();
  });

  it.each<[number | number[], LayerNormOptions]>([
    [4, {}],
    [[2, 2], {}],
    [4, { bias: false }],
  ])('can be differentiated twice: %o, %o', (shape, options) => {
    const layer = new LayerNorm(shape, { eps: 0.1, ...options });
    init.uniform(layer.weight!, { a: 0.5, b: 2, seed: 1 });
    const x = example([2, ...layer.normalizedShape]);
    expectGradients(() => layer.call(x), [x, ...layer.parameters()]);
    x.dispose();
    layer.dispose();
  });

  it("has torch's keys, initial values and printed form", () => {
    const layers = [
      new LayerNorm([2, 1]),
      new LayerNorm(2, { bias: false }),
      new LayerNorm(2, { elementwiseAffine: false }),
    ];
    const state = layers.map((layer) =>
      Object.entries(layer.stateDict()).map(([key, value]) => `${key} ${value.shape} ${value.dataSync()}`),
    );
    expect(state).toEqual([['weight 2,1 1,1', 'bias 2,1 0,0'], ['weight 2 1,1'], []]);
    expect(String(layers[0])).toBe('LayerNorm([2, 1], eps=0.00001, elementwiseAffine=true)');
    for (const layer of layers) layer.dispose();
  });

  it('refuses other last axes, and options that it does not have', () => {
    const layer = new LayerNorm([2, 3]);
    const [x, short] = [tf.ones([3, 2]), tf.ones([3])];
    const message = 'the input has shape [3, 2], its last axes must be [2, 3] (normalizedShape)';
    expect(() => layer.call(x)).toThrow(
      expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(message) }),
    );
    expect(() => layer.call(short)).toThrow('the input has shape [3]');
    expect(() => new LayerNorm([])).toThrow('normalizedShape is []');
    expect(() => new LayerNorm([2, 0.5])).toThrow('a size in normalizedShape is 0.5');
    expect(() => new LayerNorm(2, { affine: true } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION' }),
    );
    tf.dispose([x, short]);
    layer.dispose();
  });
});
