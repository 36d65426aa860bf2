import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conv1d, Conv2d, type Conv2dOptions, Linear, Module, manualSeed } from '../../src/nn/index.ts';
import trajectories from '../golden/trajectories.json' with { type: 'json' };
import { countReads } from './countReads.ts';
import { layerCases, tensorOf, trajectoriesOf } from './golden.ts';
import { example, expectGradients } from './gradientCheck.ts';
import { expectLayerCase } from './layerCase.ts';
import { statistics } from './statistics.ts';

/** torch's Conv2d in float64, straight from its formula; pads are [[top, bottom], [left, right]]. */
function direct(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor | null,
  stride: readonly number[],
  dilation: readonly number[],
  pads: readonly (readonly number[])[],
  groups: number,
): { shape: number[]; values: number[] } {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [outChannels, inPerGroup, kh, kw] = weight.shape as [number, number, number, number];
  const out = (size: number, taps: number, axis: number) =>
    Math.floor(
      (size + pads[axis]![0]! + pads[axis]![1]! - (taps - 1) * dilation[axis]! - 1) / stride[axis]!,
    ) + 1;
  const shape = [n, outChannels, out(height, kh, 0), out(width, kw, 1)];
  const [input, kernel, offsets] = [x.dataSync(), weight.dataSync(), bias?.dataSync()];
  const values: number[] = [];
  for (let b = 0; b < n; b++)
    for (let o = 0; o < outChannels; o++)
      for (let p = 0; p < shape[2]!; p++)
        for (let q = 0; q < shape[3]!; q++) {
          let sum = offsets?.[o] ?? 0;
          for (let c = 0; c < inPerGroup; c++)
            for (let i = 0; i < kh; i++)
              for (let j = 0; j < kw; j++) {
                const row = p * stride[0]! + i * dilation[0]! - pads[0]![0]!;
                const column = q * stride[1]! + j * dilation[1]! - pads[1]![0]!;
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const channel = Math.floor((o * groups) / outChannels) * inPerGroup + c;
                sum +=
                  input[((b * channels + channel) * height + row) * width + column]! *
                  kernel[((o * inPerGroup + c) * kh + i) * kw + j]!;
              }
          values.push(sum);
        }
  return { shape, values };
}

const pair = (min: number, max: number) =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })) as fc.Arbitrary<[number, number]>;

const symmetric = ([h, w]: readonly [number, number]) => [
  [h, h],
  [w, w],
];

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
          const wanted = direct(x, layer.weight, layer.bias, stride, dilation, symmetric(padding), groups);
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
        expect(y).toBeAllClose(direct(x, layer.weight, layer.bias, [1, 1], dilation, pads, 1).values);
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

  it.each(trajectoriesOf('conv'))('trains twenty steps on the way of torch under $optimizer', (run) => {
    expect(run.optimizer).toBe('sgd_momentum_wd');
    const net = new Net();
    const [x, y] = [tensorOf(trajectories.data.conv.x), tensorOf(trajectories.data.conv.y)];
    tf.tidy(() => {
      const init = Object.entries(run.init).map(([key, value]) => [key, tensorOf(value)]);
      net.loadStateDict(Object.fromEntries(init));
    });
    expect(Object.keys(net.stateDict())).toEqual(Object.keys(run.init));

    const optimizer = tf.train.momentum(run.lr, 0.9);
    const crossEntropy = (): tf.Scalar => {
      const target = tf.oneHot(tf.cast(y, 'int32'), 3);
      return tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(net.call(x))), -1)));
    };
    const losses = run.losses.map((_, step) => {
      const loss = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(crossEntropy, net.parameters());
        const decayed = net.parameters().map((variable) => ({
          name: variable.name,
          tensor: tf.add(grads[variable.name]!, tf.mul(variable, 1e-3)) as tf.Tensor,
        }));
        optimizer.applyGradients(decayed);
        return value.dataSync()[0]!;
      });
      for (const [key, tensor] of Object.entries(run.after[String(step + 1) as '20'] ?? {})) {
        expect(net.stateDict()[key]!, `${key} after ${step + 1}`).toBeAllClose(tensor, { absolute: 1e-5 });
      }
      return loss;
    });
    expect(losses).toBeAllClose([...run.losses], { relative: 0, absolute: 1e-5 });
    optimizer.dispose();
    // The momentum optimizer of tfjs never disposes its learning rate.
    tf.dispose([x, y, Reflect.get(optimizer, 'c') as tf.Tensor]);
    net.dispose();
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

  it.each<[string, () => unknown, string]>([
    [
      'a fraction',
      () => new Conv2d(2, 3, 2.5),
      'Conv2d: kernelSize is 2.5, it must be an integer of at least 1.',
    ],
    ['zero channels', () => new Conv2d(0, 3, 2), 'Conv2d: inChannels is 0'],
    [
      'a negative padding',
      () => new Conv2d(2, 3, 2, { padding: [0, -1] }),
      'an element of padding is -1, it must be an integer of at least 0',
    ],
    [
      'three sizes',
      () => new Conv2d(2, 3, 2, { stride: [1, 1, 1] as never }),
      'stride is [1, 1, 1], it must be one number or 2 numbers.',
    ],
    [
      'groups that do not divide the input channels',
      () => new Conv2d(3, 4, 2, { groups: 2 }),
      'inChannels is 3, which 2 groups do not divide',
    ],
    [
      'groups that do not divide the output channels',
      () => new Conv2d(4, 3, 2, { groups: 2 }),
      'outChannels is 3, which 2 groups do not divide',
    ],
    [
      'another name of a padding',
      () => new Conv2d(2, 3, 2, { padding: 'full' as never }),
      "padding is 'full', it must be 'same', 'valid' or a size.",
    ],
    [
      "the padding 'same' with a stride",
      () => new Conv2d(2, 3, 2, { padding: 'same', stride: [1, 2] }),
      "padding is 'same' but stride is [1, 2], and only stride 1 keeps the size.",
    ],
    [
      'an unknown option',
      () => new Conv2d(2, 3, 2, { strides: 2 } as never),
      "there is no option 'strides'. Did you mean 'stride'?",
    ],
    ['no boolean', () => new Conv2d(2, 3, 2, { bias: 0 as never }), 'bias is 0 (number)'],
  ])('refuses %s and leaves no tensor', (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, string, () => tf.Tensor, string]>([
    [
      'of another rank',
      'SHAPE',
      () => tf.ones([4, 4]),
      'the input has shape [4, 4], it must be [n, channels, height, width] or [channels, height, width].',
    ],
    [
      'of other channels',
      'SHAPE',
      () => tf.ones([1, 5, 5, 2]),
      'the input has shape [1, 5, 5, 2], that is 5 channels, but inChannels is 2.',
    ],
    [
      'smaller than the kernel',
      'SHAPE',
      () => tf.ones([1, 2, 9, 1]),
      'the input has shape [1, 2, 9, 1], that is 3 with the padding along axis 3, but the kernel spans 5.',
    ],
    [
      'of integers',
      'DTYPE',
      () => tf.ones([1, 2, 5, 5], 'int32'),
      "the input has dtype int32, it must have float32. Cast it with tf.cast(x, 'float32').",
    ],
  ])('refuses an input %s', (_, code, make, message) => {
    const layer = new Conv2d(2, 3, 3, { dilation: 2, padding: 1 });
    const x = make();
    expect(() => layer.call(x)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    x.dispose();
    layer.dispose();
  });
});

/** The golden conv model, under the golden names. */
class Net extends Module {
  c1 = new Conv2d(1, 4, 3, { padding: 1 });
  c2 = new Conv2d(4, 4, 3, { stride: 2, padding: 1 });
  fc = new Linear(36, 3);
  forward(x: tf.Tensor): tf.Tensor {
    const features = tf.tanh(this.c2.call(tf.tanh(this.c1.call(x))));
    return this.fc.call(tf.reshape(features, [-1, 36]));
  }
}

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
          const wanted = direct(
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

  it('refuses what does not fit', () => {
    expect(() => new Conv1d(2, 3, [1, 2] as never)).toThrow(
      'Conv1d: kernelSize is [1, 2], it must be one number or an array of one.',
    );
    const layer = new Conv1d(2, 3, 3);
    const inputs = [tf.ones([1, 2, 5, 5]), tf.ones([2, 2])];
    expect(() => layer.call(inputs[0]!)).toThrow('it must be [n, channels, length] or [channels, length].');
    expect(() => layer.call(inputs[1]!)).toThrow(
      'the input has shape [2, 2], that is 2 with the padding along axis 1, but the kernel spans 3.',
    );
    tf.dispose(inputs);
    layer.dispose();
  });
});
