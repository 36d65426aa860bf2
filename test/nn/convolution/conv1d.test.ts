import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conv1d, Conv2d } from '../../../src/nn/index.ts';
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

  it('with causal padding is the convolution of the input with zeros before it, for every kernel', () => {
    const options = fc.record({
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 3 }),
      paddingMode: fc.constantFrom('zeros', 'replicate'),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 4 }), (options, kernelSize) => {
        const causal = new Conv1d(2, 3, kernelSize, { ...options, padding: 'causal' });
        const plain = new Conv1d(2, 3, kernelSize, { stride: options.stride, dilation: options.dilation });
        tf.tidy(() => {
          plain.loadStateDict(causal.stateDict());
          const x = tf.randomUniform([2, 2, 6], -1, 1);
          const count = options.dilation * (kernelSize - 1);
          const edge = tf.mul(tf.slice(x, [0, 0, 0], [-1, -1, 1]), options.paddingMode === 'zeros' ? 0 : 1);
          const padded = tf.concat([...Array.from({ length: count }, () => edge), x], 2);
          const y = causal.call(x);
          expect(y).toBeAllClose(plain.call(padded));
          expect(y.shape[2]).toBe(Math.floor(5 / options.stride) + 1);
        });
        causal.dispose();
        plain.dispose();
      }),
    );
  });

  it('with causal padding does not look at later elements, prints the padding, and refuses other modes and layers', () => {
    const layer = new Conv1d(1, 1, 3, { padding: 'causal', dilation: 2 });
    tf.tidy(() => {
      const x = tf.randomUniform([1, 1, 8]);
      const changed = tf.concat([tf.slice(x, [0, 0, 0], [1, 1, 5]), tf.ones([1, 1, 3])], 2);
      const upTo5 = (y: tf.Tensor): tf.Tensor => tf.slice(y, [0, 0, 0], [1, 1, 5]);
      expect(upTo5(layer.call(changed))).toBeAllClose(upTo5(layer.call(x)));
    });
    expect(String(layer)).toBe('Conv1d(1, 1, kernelSize=[3], stride=[1], padding=causal, dilation=[2])');
    layer.dispose();
    const { numTensors } = tf.memory();
    expect(() => new Conv1d(1, 1, 3, { padding: 'casual' as never })).toThrow(
      "padding is 'casual', it must be 'same', 'valid', 'causal' or a size",
    );
    expect(() => new Conv2d(1, 1, 3, { padding: 'causal' as never })).toThrow(
      "it must be 'same', 'valid' or a size",
    );
    for (const paddingMode of ['reflect', 'circular'] as const) {
      expect(() => new Conv1d(1, 1, 3, { padding: 'causal', paddingMode })).toThrow(
        "Use paddingMode 'zeros' or 'replicate'",
      );
    }
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});
