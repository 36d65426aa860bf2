import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conv3d, type Conv3dOptions } from '../../../src/nn/index.ts';
import { layerCases } from '../golden.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { expectLayerCase } from '../layerCase.ts';
import { countReads } from '../module/countReads.ts';
import { directConvNd } from './directConvNd.ts';

const triple = (min: number, max: number) => {
  const size = fc.integer({ min, max });
  return fc.tuple(size, size, size) as fc.Arbitrary<[number, number, number]>;
};

describe('Conv3d', () => {
  it('equals the sum of its definition for any stride, padding, dilation and number of groups', () => {
    const layers = fc.record({
      n: fc.integer({ min: 1, max: 2 }),
      size: triple(2, 5),
      kernelSize: triple(1, 3),
      stride: triple(1, 3),
      padding: triple(0, 2),
      dilation: triple(1, 2),
      groups: fc.integer({ min: 1, max: 3 }),
      inPerGroup: fc.integer({ min: 1, max: 2 }),
      outPerGroup: fc.integer({ min: 1, max: 2 }),
      bias: fc.boolean(),
    });
    fc.assert(
      fc.property(layers, ({ n, size, kernelSize, inPerGroup, outPerGroup, ...options }) => {
        const { stride, padding, dilation, groups } = options;
        fc.pre(size.every((s, a) => s + 2 * padding[a]! > (kernelSize[a]! - 1) * dilation[a]!));
        const layer = new Conv3d(groups * inPerGroup, groups * outPerGroup, kernelSize, options);
        tf.tidy(() => {
          const x = tf.randomUniform([n, groups * inPerGroup, ...size], -1, 1);
          const wanted = directConvNd(x, layer.weight, layer.bias, {
            stride,
            dilation,
            pads: padding.map((pad) => [pad, pad]),
            groups,
          });
          const y = layer.call(x);
          expect(y.shape).toEqual(wanted.shape);
          expect(y).toBeAllClose(wanted.values);
        });
        layer.dispose();
      }),
    );
  });

  it("keeps the size with the padding 'same', the odd zero at the end", () => {
    const layer = new Conv3d(2, 3, [2, 3, 4], { padding: 'same', dilation: [1, 2, 1] });
    tf.tidy(() => {
      const x = tf.randomUniform([2, 2, 3, 4, 5], -1, 1);
      const y = layer.call(x);
      const wanted = directConvNd(x, layer.weight, layer.bias, {
        stride: [1, 1, 1],
        dilation: [1, 2, 1],
        pads: [
          [0, 1],
          [2, 2],
          [1, 2],
        ],
        groups: 1,
      });
      expect(y.shape).toEqual([2, 3, 3, 4, 5]);
      expect(y).toBeAllClose(wanted.values);
    });
    layer.dispose();
  });

  it('takes one volume without a batch, and an empty batch', () => {
    const layer = new Conv3d(2, 3, 2, { stride: 2 });
    tf.tidy(() => {
      const x = tf.randomUniform([2, 4, 5, 4], -1, 1);
      expect(layer.call(x)).toBeAllClose(tf.squeeze(layer.call(tf.expandDims(x, 0)), [0]));
      const empty = tf.zeros([0, 2, 4, 5, 4]);
      expect(layer.call(empty).shape).toEqual([0, 3, 2, 2, 2]);
      const { grads } = tf.variableGrads(() => tf.sum(layer.call(empty)), layer.parameters());
      for (const gradient of Object.values(grads)) expect(tf.max(tf.abs(gradient))).toBeAllClose([0]);
    });
    layer.dispose();
  });

  it.each(layerCases('Conv3d'))(
    "has torch's output and gradients (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new Conv3d(2, 3, 2), golden);
    },
  );

  it.each<[string, Conv3dOptions, number[]]>([
    ['plain', {}, [2, 2, 3, 2, 3]],
    ['strided and padded', { stride: 2, padding: 1 }, [1, 2, 3, 2, 4]],
    ['dilated', { dilation: [2, 1, 2], padding: 'same' }, [1, 2, 3, 3, 2]],
    ['strided and dilated', { stride: [2, 1, 2], dilation: [2, 2, 1], padding: 2 }, [1, 2, 3, 3, 2]],
    ['depthwise, two outputs each', { groups: 2, bias: false }, [1, 2, 3, 2, 3]],
    ['padded with itself', { padding: 1, paddingMode: 'circular' }, [1, 2, 2, 3, 2]],
  ])('can be differentiated twice: %s', (_, options, shape) => {
    const layer = new Conv3d(2, 4, 2, options);
    const x = example(shape);
    expectGradients(() => tf.mul(layer.call(x), 0.3), [x, ...layer.parameters()]);
    x.dispose();
    layer.dispose();
  });

  it("has torch's keys and shapes", () => {
    const layer = new Conv3d(4, 6, [3, 2, 1], { groups: 2 });
    const shapes = Object.entries(layer.stateDict()).map(([key, { shape }]) => [key, shape]);
    expect(shapes).toEqual([
      ['weight', [6, 2, 3, 2, 1]],
      ['bias', [6]],
    ]);
    layer.dispose();
  });

  it('reads each parameter once in a forward pass', () => {
    const layer = new Conv3d(2, 3, 2);
    const parameters = layer.parameters();
    const reads = countReads(layer, ['weight', 'bias']);
    const x = tf.ones([1, 2, 3, 3, 3]);
    tf.dispose([x, layer.call(x)]);
    expect(reads).toEqual({ weight: 1, bias: 1 });
    tf.dispose(parameters);
  });

  it('prints its options as torch does', () => {
    const layer = new Conv3d(4, 8, 3, { stride: 2, padding: [0, 1, 1], paddingMode: 'replicate' });
    expect(String(layer)).toBe(
      'Conv3d(4, 8, kernelSize=[3, 3, 3], stride=[2, 2, 2], padding=[0, 1, 1], paddingMode=replicate)',
    );
    layer.dispose();
  });

  it('refuses what does not fit', () => {
    expect(() => new Conv3d(2, 3, [1, 2] as never)).toThrow(
      'Conv3d: kernelSize is [1, 2], it must be one number or 3 numbers.',
    );
    const layer = new Conv3d(2, 3, 3);
    const x = tf.ones([2, 3, 3]);
    expect(() => layer.call(x)).toThrow(
      'it must be [n, channels, depth, height, width] or [channels, depth, height, width].',
    );
    x.dispose();
    layer.dispose();
  });
});
