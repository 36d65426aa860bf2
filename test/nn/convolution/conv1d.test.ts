import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conv1d } from '../../../src/nn/index.ts';
import { layerCases } from '../golden.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { expectLayerCase } from '../layerCase.ts';
import { countReads } from '../module/countReads.ts';
import { directConv, symmetric } from './directConv.ts';

describe('Conv1d', () => {
  it('is a Conv2d over an image of one row', () => {
    const options = fc.record({
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 3 }),
      dilation: fc.integer({ min: 1, max: 3 }),
      groups: fc.constantFrom(1, 2, 4),
      bias: fc.boolean(),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 3 }), (options, kernelSize) => {
        const { stride, padding, dilation, groups } = options;
        const layer = new Conv1d(4, 4, kernelSize, options);
        tf.tidy(() => {
          const x = tf.randomUniform([2, 4, 7], -1, 1);
          const wanted = directConv(
            tf.expandDims(x, 2),
            tf.expandDims(layer.weight, 2),
            layer.bias,
            [1, stride],
            [1, dilation],
            symmetric([0, padding]),
            groups,
          );
          const y = layer.call(x);
          expect(y.shape).toEqual([2, 4, wanted.shape[3]]);
          expect(y).toBeAllClose(wanted.values);
        });
        layer.dispose();
      }),
    );
  });

  it.each(layerCases('Conv1d'))(
    "has torch's output and gradients (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new Conv1d(3, 4, 3, { padding: 1 }), golden);
    },
  );

  it("takes a sequence without a batch, and the padding 'same' with a dilation", () => {
    const layer = new Conv1d(2, 3, [4], { padding: 'same', dilation: [3] });
    const x = example([2, 8]);
    const y = layer.call(x);
    expect(y.shape).toEqual([3, 8]);
    y.dispose();
    expectGradients(() => layer.call(x), [x, ...layer.parameters()]);
    x.dispose();
    layer.dispose();
  });

  it('reads each parameter once in a forward pass', () => {
    const layer = new Conv1d(2, 3, 2);
    const parameters = layer.parameters();
    const reads = countReads(layer, ['weight', 'bias']);
    const x = tf.ones([1, 2, 3]);
    tf.dispose([x, layer.call(x)]);
    expect(reads).toEqual({ weight: 1, bias: 1 });
    tf.dispose(parameters);
  });

  it('prints its options as torch does', () => {
    const layer = new Conv1d(4, 8, 3, { stride: 2, padding: 1, dilation: [2], groups: 2 });
    expect(String(layer)).toBe(
      'Conv1d(4, 8, kernelSize=[3], stride=[2], padding=[1], dilation=[2], groups=2)',
    );
    layer.dispose();
  });
});
