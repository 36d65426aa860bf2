import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conv2d, type Conv2dOptions, manualSeed } from '../../../src/nn/index.ts';
import { layerCases } from '../golden.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { statistics } from '../init/statistics.ts';
import { expectLayerCase } from '../layerCase.ts';
import { countReads } from '../module/countReads.ts';
import { directConv, symmetric } from './directConv.ts';

const pair = (min: number, max: number) =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })) as fc.Arbitrary<[number, number]>;

describe('Conv2d', () => {
  it('equals the sum of its definition for any stride, padding, dilation and number of groups', () => {
    const layers = fc.record({
      n: fc.integer({ min: 1, max: 3 }),
      size: pair(3, 8),
      kernelSize: pair(1, 3),
      stride: pair(1, 3),
      padding: pair(0, 3),
      dilation: pair(1, 3),
      groups: fc.integer({ min: 1, max: 3 }),
      inPerGroup: fc.integer({ min: 1, max: 3 }),
      outPerGroup: fc.integer({ min: 1, max: 3 }),
      bias: fc.boolean(),
    });
    fc.assert(
      fc.property(layers, ({ n, size, kernelSize, inPerGroup, outPerGroup, ...options }) => {
        const { stride, padding, dilation, groups } = options;
        fc.pre(size.every((s, a) => s + 2 * padding[a]! > (kernelSize[a]! - 1) * dilation[a]!));
        const layer = new Conv2d(groups * inPerGroup, groups * outPerGroup, kernelSize, options);
        tf.tidy(() => {
          const x = tf.randomUniform([n, groups * inPerGroup, ...size], -1, 1);
          const y = layer.call(x);
          const wanted = directConv(
            x,
            layer.weight,
            layer.bias,
            stride,
            dilation,
            symmetric(padding),
            groups,
          );
          expect(y.shape).toEqual(wanted.shape);
          expect(y).toBeAllClose(wanted.values);
        });
        layer.dispose();
      }),
    );
  });

  it("keeps the size with the padding 'same', the odd zero at the bottom and right", () => {
    for (const [kernelSize, dilation, pads] of [
      [[2, 3], [1, 1], [[0, 1], [1, 1]]], // biome-ignore format: one a line
      [[4, 2], [1, 3], [[1, 2], [1, 2]]], // biome-ignore format: one a line
    ] as const) {
      const layer = new Conv2d(2, 3, kernelSize, { padding: 'same', dilation });
      tf.tidy(() => {
        const x = tf.randomUniform([2, 2, 5, 6], -1, 1);
        const y = layer.call(x);
        expect(y.shape).toEqual([2, 3, 5, 6]);
        expect(y).toBeAllClose(directConv(x, layer.weight, layer.bias, [1, 1], dilation, pads, 1).values);
      });
      layer.dispose();
    }
  });

  it("adds nothing with the padding 'valid'", () => {
    const layer = new Conv2d(2, 3, 2, { padding: 'valid', stride: 2 });
    const x = tf.ones([1, 2, 5, 6]);
    const y = layer.call(x);
    expect(y.shape).toEqual([1, 3, 2, 3]);
    tf.dispose([x, y]);
    layer.dispose();
  });

  it('takes one image without a batch', () => {
    const layer = new Conv2d(2, 3, 3);
    tf.tidy(() => {
      const x = tf.randomUniform([2, 4, 5], -1, 1);
      const batched = layer.call(tf.expandDims(x, 0));
      expect(layer.call(x).shape).toEqual([3, 2, 3]);
      expect(layer.call(x)).toBeAllClose(tf.squeeze(batched, [0]));
    });
    layer.dispose();
  });

  it('takes an empty batch', () => {
    const layer = new Conv2d(2, 3, 3, { stride: 2 });
    tf.tidy(() => {
      expect(layer.call(tf.zeros([0, 2, 5, 5])).shape).toEqual([0, 3, 2, 2]);
      const { grads } = tf.variableGrads(
        () => tf.sum(layer.call(tf.zeros([0, 2, 5, 5]))),
        layer.parameters(),
      );
      for (const gradient of Object.values(grads)) expect(tf.max(tf.abs(gradient))).toBeAllClose([0]);
    });
    layer.dispose();
  });

  // The golden cases do not say how their layers were made; their shapes and numbers do.
  it.each(layerCases('Conv2d'))(
    "has torch's output and gradients (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new Conv2d(2, 3, 3, { stride: 2, padding: 1 }), golden);
    },
  );

  it.each(layerCases('Conv2d_grouped'))(
    "has torch's output and gradients in groups (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new Conv2d(4, 6, [3, 2], { groups: 2 }), golden);
    },
  );

  it.each<[string, Conv2dOptions, number[]]>([
    ['plain', {}, [2, 2, 4, 3]],
    ['strided and padded', { stride: 2, padding: 1 }, [2, 2, 4, 3]],
    ['dilated', { dilation: [2, 1], padding: 'same' }, [1, 2, 3, 4]],
    ['strided and dilated', { stride: [2, 1], dilation: [2, 2], padding: 2 }, [1, 2, 4, 3]],
    ['depthwise, two outputs each', { groups: 2, bias: false }, [1, 2, 4, 3]],
  ])('can be differentiated twice: %s', (_, options, shape) => {
    const layer = new Conv2d(2, 4, 2, options);
    const x = example(shape);
    expectGradients(() => tf.mul(layer.call(x), 0.5), [x, ...layer.parameters()]);
    x.dispose();
    layer.dispose();
  });

  it("has torch's keys in torch's order", () => {
    const [layer, plain] = [new Conv2d(4, 6, [3, 2], { groups: 2 }), new Conv2d(4, 6, 1, { bias: false })];
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    expect(Object.keys(plain.stateDict())).toEqual(['weight']);
    expect([layer.weight.shape, layer.bias!.shape, plain.weight.shape, plain.bias]).toEqual([
      [6, 2, 3, 2],
      [6],
      [6, 4, 1, 1],
      null,
    ]);
    layer.dispose();
    plain.dispose();
  });

  it("begins with torch's uniform distribution", () => {
    manualSeed(0);
    const layer = new Conv2d(20, 50, 5, { groups: 5 });
    const { mean, std, min, max } = statistics(layer.weight);
    expect([mean, std]).toBeAllClose([0, 0.1 / Math.sqrt(3)], { absolute: 0.003 });
    expect([min, max, statistics(layer.bias!).max]).toBeAllClose([-0.1, 0.1, 0.1], { absolute: 0.02 });
    expect(Math.max(-min, max)).toBeLessThanOrEqual(Math.fround(0.1));
    layer.dispose();
  });

  it('reads each parameter once in a forward pass', () => {
    const layer = new Conv2d(2, 3, 2);
    const parameters = layer.parameters();
    const reads = countReads(layer, ['weight', 'bias']);
    const x = tf.ones([1, 2, 3, 3]);
    tf.dispose([x, layer.call(x)]);
    expect(layer.toString()).toBe('Conv2d(2, 3, kernelSize=[2, 2], stride=[1, 1])');
    expect(reads, 'the printed form reads none').toEqual({ weight: 1, bias: 1 });
    tf.dispose(parameters);
  });

  it('prints its options as torch does, only those that are not the default', () => {
    const layers = [
      new Conv2d(3, 8, 3, { padding: 1 }),
      new Conv2d(4, 8, [3, 2], { stride: [2, 1], padding: [0, 1], dilation: 2, groups: 4, bias: false }),
      new Conv2d(3, 8, 3, { padding: 'same' }),
    ];
    expect(layers.map(String)).toEqual([
      'Conv2d(3, 8, kernelSize=[3, 3], stride=[1, 1], padding=[1, 1])',
      'Conv2d(4, 8, kernelSize=[3, 2], stride=[2, 1], padding=[0, 1], dilation=[2, 2], groups=4, bias=false)',
      'Conv2d(3, 8, kernelSize=[3, 3], stride=[1, 1], padding=same)',
    ]);
    for (const layer of layers) layer.dispose();
  });
});
