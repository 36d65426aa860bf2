import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConvTranspose1d,
  ConvTranspose2d,
  type ConvTranspose2dOptions,
  ConvTranspose3d,
  type Module,
  manualSeed,
} from '../../../src/nn/index.ts';
import { layerCases } from '../golden.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { statistics } from '../init/statistics.ts';
import { expectLayerCase } from '../layerCase.ts';
import { countReads } from '../module/countReads.ts';
import { directConvTransposeNd } from './directConvNd.ts';

type Transposed = Module & {
  readonly weight: tf.Tensor;
  readonly bias: tf.Tensor | null;
  forward(x: tf.Tensor, outputSize?: readonly number[]): tf.Tensor;
};

/** One class for every number of axes. */
const classes = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d] as unknown as readonly (new (
  inChannels: number,
  outChannels: number,
  kernelSize: readonly number[],
  options: object,
) => Transposed)[];

const numbers = (rank: number, min: number, max: number) =>
  fc.array(fc.integer({ min, max }), { minLength: rank, maxLength: rank });

describe.each([1, 2, 3])('ConvTranspose%id', (rank) => {
  const Layer = classes[rank - 1]!;

  it('equals the sum of its definition for any stride, padding, dilation and number of groups', () => {
    const layers = fc.record({
      n: fc.integer({ min: 1, max: 2 }),
      size: numbers(rank, 1, 4),
      kernelSize: numbers(rank, 1, 3),
      stride: numbers(rank, 1, 3),
      padding: numbers(rank, 0, 2),
      outputPadding: numbers(rank, 0, 2),
      dilation: numbers(rank, 1, 3),
      groups: fc.integer({ min: 1, max: 3 }),
      inPerGroup: fc.integer({ min: 1, max: 2 }),
      outPerGroup: fc.integer({ min: 1, max: 2 }),
      bias: fc.boolean(),
    });
    fc.assert(
      fc.property(layers, ({ n, size, kernelSize, inPerGroup, outPerGroup, ...options }) => {
        const { stride, padding, outputPadding, dilation, groups } = options;
        fc.pre(outputPadding.every((added, a) => added < Math.max(stride[a]!, dilation[a]!)));
        const span = (a: number) => (size[a]! - 1) * stride[a]! + (kernelSize[a]! - 1) * dilation[a]! + 1;
        fc.pre(size.every((_, a) => span(a) - 2 * padding[a]! + outputPadding[a]! >= 1));
        const layer = new Layer(groups * inPerGroup, groups * outPerGroup, kernelSize, options);
        tf.tidy(() => {
          const x = tf.randomUniform([n, groups * inPerGroup, ...size], -1, 1);
          const pads = padding.map((pad) => [pad, pad] as const);
          const geometry = { stride, dilation, pads, groups };
          const wanted = directConvTransposeNd(x, layer.weight, layer.bias, geometry, outputPadding);
          const y = layer.call(x);
          expect(y.shape).toEqual(wanted.shape);
          expect(y).toBeAllClose(wanted.values, { absolute: 1e-5 });
        });
        layer.dispose();
      }),
    );
  });

  it('gives the output the size that the caller wants, as outputPadding does', () => {
    const layer = new Layer(2, 3, new Array(rank).fill(2), { stride: 3, padding: 1, outputPadding: 1 });
    const twin = new Layer(2, 3, new Array(rank).fill(2), { stride: 3, padding: 1, outputPadding: 2 });
    twin.loadStateDict(layer.stateDict());
    tf.tidy(() => {
      const x = tf.randomUniform([2, 2, ...new Array<number>(rank).fill(2)], -1, 1);
      const wanted = twin.call(x);
      expect(layer.call(x, wanted.shape.slice(2))).toBeAllClose(wanted);
      expect(layer.call(x, wanted.shape)).toBeAllClose(wanted);
      expect(layer.call(x, new Array(rank).fill(3)).shape.slice(2)).toEqual(new Array(rank).fill(3));
      for (const size of [2, 6, 3.5]) {
        expect(() => layer.call(x, new Array(rank).fill(size))).toThrow(
          expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining('gives outputs') }),
        );
      }
    });
    layer.dispose();
    twin.dispose();
  });

  it('takes one input without a batch, and an empty batch', () => {
    const layer = new Layer(2, 3, new Array(rank).fill(3), { stride: 2 });
    tf.tidy(() => {
      const size = new Array<number>(rank).fill(2);
      const x = tf.randomUniform([2, ...size], -1, 1);
      expect(layer.call(x)).toBeAllClose(tf.squeeze(layer.call(tf.expandDims(x, 0)), [0]));
      const empty = tf.zeros([0, 2, ...size]);
      expect(layer.call(empty).shape).toEqual([0, 3, ...new Array(rank).fill(5)]);
      const { grads } = tf.variableGrads(() => tf.sum(layer.call(empty)), layer.parameters());
      for (const gradient of Object.values(grads)) expect(tf.max(tf.abs(gradient))).toBeAllClose([0]);
    });
    layer.dispose();
  });

  it('reads each parameter once in a forward pass', () => {
    const layer = new Layer(2, 3, new Array(rank).fill(2), {});
    const parameters = layer.parameters();
    const reads = countReads(layer, ['weight', 'bias']);
    const x = tf.ones([2, 2, ...new Array<number>(rank).fill(2)]);
    tf.dispose([x, layer.call(x)]);
    expect(reads).toEqual({ weight: 1, bias: 1 });
    tf.dispose(parameters);
  });

  it('can be differentiated twice, also strided, dilated and in groups', () => {
    for (const options of [
      { stride: 2, outputPadding: 1 },
      { stride: 2, dilation: 3, padding: 1, groups: 2, bias: false },
    ]) {
      const layer = new Layer(2, 4, new Array(rank).fill(2), options);
      const x = example([1, 2, ...new Array<number>(rank).fill(2)]);
      expectGradients(() => tf.mul(layer.call(x), 0.3), [x, ...layer.parameters()]);
      x.dispose();
      layer.dispose();
    }
  });
});

describe('ConvTranspose1d', () => {
  it.each(layerCases('ConvTranspose1d'))(
    "has torch's output and gradients (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new ConvTranspose1d(3, 2, 4, { stride: 2, padding: 1 }), golden);
    },
  );
});

describe('ConvTranspose2d', () => {
  // The golden cases do not say how their layers were made; their shapes and numbers do.
  it.each(layerCases('ConvTranspose2d'))(
    "has torch's output and gradients (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new ConvTranspose2d(3, 2, 3, { stride: [2, 2], outputPadding: [1, 1] }), golden);
    },
  );

  it("has torch's keys and shapes, and begins with torch's uniform distribution", () => {
    manualSeed(0);
    const layer = new ConvTranspose2d(50, 20, 5, { groups: 5 });
    const shapes = Object.entries(layer.stateDict()).map(([key, { shape }]) => [key, shape]);
    expect(shapes).toEqual([
      ['weight', [50, 4, 5, 5]],
      ['bias', [20]],
    ]);
    const { mean, std, min, max } = statistics(layer.weight);
    expect([mean, std]).toBeAllClose([0, 0.1 / Math.sqrt(3)], { absolute: 0.003 });
    expect([min, max, statistics(layer.bias!).max]).toBeAllClose([-0.1, 0.1, 0.1], { absolute: 0.02 });
    layer.dispose();
  });

  it('prints its options as torch does, only those that are not the default', () => {
    const layers = [
      new ConvTranspose2d(4, 6, 3),
      new ConvTranspose2d(4, 6, [3, 2], {
        stride: 2,
        padding: 1,
        outputPadding: [1, 0],
        dilation: 2,
        groups: 2,
        bias: false,
      }),
    ];
    expect(layers.map(String)).toEqual([
      'ConvTranspose2d(4, 6, kernelSize=[3, 3], stride=[1, 1])',
      'ConvTranspose2d(4, 6, kernelSize=[3, 2], stride=[2, 2], padding=[1, 1], dilation=[2, 2], outputPadding=[1, 0], groups=2, bias=false)',
    ]);
    for (const layer of layers) layer.dispose();
  });

  it.each<[string, ConvTranspose2dOptions, string]>([
    [
      'an outputPadding as large as stride and dilation',
      { stride: [3, 2], outputPadding: 2 },
      'outputPadding is [2, 2], along axis 1 it must be less than the stride 2 or the dilation 1.',
    ],
    [
      'a named padding',
      { padding: 'same' as never },
      'padding is same, it must be an integer of at least 0.',
    ],
    ['a padding mode', { paddingMode: 'zeros' } as never, "'paddingMode' is not an option."],
    [
      'groups that do not divide the channels',
      { groups: 4 },
      'outChannels is 6, which 4 groups do not divide',
    ],
  ])('refuses %s and leaves no tensor', (_, options, message) => {
    expect(() => new ConvTranspose2d(4, 6, 3, options)).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('refuses an input whose output would be empty', () => {
    const layer = new ConvTranspose2d(2, 3, 2, { padding: [0, 2] });
    const x = tf.ones([1, 2, 3, 2]);
    expect(() => layer.call(x)).toThrow(
      'ConvTranspose2d: the input has shape [1, 2, 3, 2], which gives an output of size [4, -1].',
    );
    x.dispose();
    layer.dispose();
  });
});
