import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CircularPad1d,
  CircularPad2d,
  ConstantPad1d,
  ConstantPad2d,
  Conv1d,
  Conv2d,
  Conv3d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ReplicationPad2d,
  ZeroPad1d,
  ZeroPad2d,
} from '../../../src/nn/index.ts';
import { directConvNd, indices } from '../convolution/directConvNd.ts';
import { example, expectGradients } from '../gradientCheck.ts';

/** The place in the tensor that a place outside of it repeats, by mode. */
const source = {
  reflect: (i: number, length: number) => (i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i),
  replicate: (i: number, length: number) => Math.min(Math.max(i, 0), length - 1),
  circular: (i: number, length: number) => (i + length) % length,
};
type Mode = keyof typeof source;

/** What padding the last axes gives; a number stands for a constant. */
function directPad(x: tf.Tensor, pairs: readonly (readonly [number, number])[], mode: Mode | number) {
  const first = x.rank - pairs.length;
  const shape = x.shape.map((size, axis) => size + (pairs[axis - first] ?? [0, 0]).reduce((a, b) => a + b));
  const strides = x.shape.map((_, axis) => tf.util.sizeFromShape(x.shape.slice(axis + 1)));
  const input = x.dataSync();
  const values = indices(shape).map((index) => {
    const place = index.map((i, axis) => i - (pairs[axis - first]?.[0] ?? 0));
    if (typeof mode === 'number' && place.some((i, axis) => i < 0 || i >= x.shape[axis]!)) return mode;
    const seen = typeof mode === 'number' ? place : place.map((i, axis) => source[mode](i, x.shape[axis]!));
    return input[seen.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
  });
  return { shape, values };
}

const modes: readonly Mode[] = ['reflect', 'replicate', 'circular'];
const layers1d = { reflect: ReflectionPad1d, replicate: ReplicationPad1d, circular: CircularPad1d };
const layers2d = { reflect: ReflectionPad2d, replicate: ReplicationPad2d, circular: CircularPad2d };

describe.each(modes)("padding with '%s'", (mode) => {
  const edge = fc.integer({ min: 0, max: 3 });

  it('repeats the elements that its formula names, over sequences and images', () => {
    const size = fc.integer({ min: 4, max: 6 });
    fc.assert(
      fc.property(
        fc.tuple(edge, edge, edge, edge),
        fc.tuple(size, size),
        fc.boolean(),
        (edges, size, batched) => {
          const [left, right, top, bottom] = edges;
          tf.tidy(() => {
            const x = tf.randomUniform(batched ? [2, 3, ...size] : [3, ...size]);
            const y = new layers2d[mode](edges).call(x);
            const wanted = directPad(x, [[top, bottom], [left, right]], mode); // biome-ignore format: a pair for each axis
            expect(y.shape).toEqual(wanted.shape);
            expect(y).toBeAllClose(wanted.values);
            const rows = tf.reshape(x, [-1, ...size]);
            const sequences = new layers1d[mode]([left, right]).call(rows);
            expect(sequences).toBeAllClose(directPad(rows, [[left, right]], mode).values);
          });
        },
      ),
    );
  });

  it('can be differentiated twice', () => {
    const x = example([1, 2, 3, 4]);
    expectGradients(() => new layers2d[mode]([1, 3, 2, 0]).call(x), [x]);
    x.dispose();
  });

  it('takes an empty batch', () => {
    tf.tidy(() => {
      const x = tf.zeros([0, 2, 3, 4]);
      expect(new layers2d[mode](2).call(x).shape).toEqual([0, 2, 7, 8]);
      expect(new ConstantPad2d([2, 2, -1, 0], 1).call(x).shape).toEqual([0, 2, 2, 8]);
    });
  });

  it.each([
    ['Conv1d', Conv1d, [6]],
    ['Conv2d', Conv2d, [5, 6]],
    ['Conv3d', Conv3d, [4, 5, 4]],
  ] as const)('is what the paddingMode of %s does', (_, Conv, size) => {
    const rank = size.length;
    for (const padding of ['same', 2, 'valid'] as const) {
      const dilation = 2;
      const kernel = [2, 3, 2].slice(0, rank);
      const layer = new Conv(2, 3, kernel as never, { padding, dilation, paddingMode: mode });
      tf.tidy(() => {
        const x = tf.randomUniform([2, 2, ...size], -1, 1);
        const pads = kernel.map((taps): [number, number] => {
          if (padding !== 'same') return padding === 'valid' ? [0, 0] : [padding, padding];
          const total = (taps - 1) * dilation;
          return [Math.floor(total / 2), Math.ceil(total / 2)];
        });
        const padded = directPad(x, pads, mode);
        const wanted = directConvNd(tf.tensor(padded.values, padded.shape), layer.weight, layer.bias, {
          stride: [1, 1, 1],
          dilation: [2, 2, 2],
          pads: [[0, 0], [0, 0], [0, 0]], // biome-ignore format: a pair for each axis
          groups: 1,
        });
        expect(layer.call(x)).toBeAllClose(tf.tensor(wanted.values, wanted.shape));
      });
      layer.dispose();
    }
  });
});

describe('ConstantPad1d and ConstantPad2d', () => {
  it('put a number around, and crop where a size is negative', () => {
    const edge = fc.integer({ min: -1, max: 3 });
    fc.assert(
      fc.property(fc.tuple(edge, edge, edge, edge), fc.integer({ min: -2, max: 2 }), (edges, value) => {
        const [left, right, top, bottom] = edges;
        tf.tidy(() => {
          const x = tf.randomUniform([2, 3, 4]);
          const wanted = directPad(x, [[top, bottom], [left, right]], value); // biome-ignore format: a pair for each axis
          const y = new ConstantPad2d(edges, value).call(x);
          expect(y.shape).toEqual(wanted.shape);
          expect(y).toBeAllClose(wanted.values);
          const row = new ConstantPad1d([left, right], value).call(x);
          expect(row).toBeAllClose(directPad(x, [[left, right]], value).values);
        });
      }),
    );
  });

  it('put zeros as ZeroPad1d and ZeroPad2d', () => {
    tf.tidy(() => {
      const x = tf.ones([1, 1, 2]);
      expect(new ZeroPad1d([2, 1]).call(x)).toBeAllClose(tf.tensor([[[0, 0, 1, 1, 0]]]));
      expect(new ZeroPad2d([0, -1, 1, 0]).call(x)).toBeAllClose(tf.tensor([[[0], [1]]]));
    });
  });

  it('can be differentiated twice', () => {
    const x = example([1, 2, 3, 4]);
    expectGradients(() => new ConstantPad2d([1, -1, -2, 2], 0.5).call(x), [x]);
    x.dispose();
  });
});

describe('the padding layers', () => {
  it('have no state, and print as torch does', () => {
    const layers = [
      new ConstantPad1d(1, 0.5),
      new ConstantPad2d([1, 0, 2, 1], -1),
      new ZeroPad2d(1),
      new ReflectionPad1d([1, 2]),
      new ReplicationPad2d(2),
      new CircularPad1d(3),
    ];
    expect(layers.flatMap((layer) => Object.keys(layer.stateDict()))).toEqual([]);
    expect(layers.map(String)).toEqual([
      'ConstantPad1d(padding=[1, 1], value=0.5)',
      'ConstantPad2d(padding=[1, 0, 2, 1], value=-1)',
      'ZeroPad2d([1, 1, 1, 1])',
      'ReflectionPad1d([1, 2])',
      'ReplicationPad2d([2, 2, 2, 2])',
      'CircularPad1d([3, 3])',
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'a fraction',
      () => new ReflectionPad2d(1.5),
      'ReflectionPad2d: padding is 1.5, it must be an integer of at least 0.',
    ],
    ['a negative size', () => new ReplicationPad1d([0, -1]), 'an element of padding is -1'],
    [
      'a pair for an image',
      () => new ReflectionPad2d([1, 2] as never),
      'padding is [1, 2], it must be one number or [left, right, top, bottom].',
    ],
    [
      'no value',
      () => new ConstantPad1d(1, undefined as never),
      'ConstantPad1d: value is undefined, it must be a finite number.',
    ],
    [
      'another mode',
      () => new Conv1d(1, 1, 1, { paddingMode: 'reflection' as never }),
      "Conv1d: paddingMode is 'reflection', it must be one of 'zeros', 'reflect', 'replicate', 'circular'. Did you mean 'reflect'?",
    ],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, () => tf.Tensor, (x: tf.Tensor) => unknown, string]>([
    [
      'too small to be mirrored',
      () => tf.ones([1, 2, 3]),
      (x) => new ReflectionPad1d([0, 3]).call(x),
      "ReflectionPad1d: the input has shape [1, 2, 3]. 'reflect' repeats at most 2 elements along axis 2, and the padding there is [0, 3].",
    ],
    [
      'too small to be wrapped',
      () => tf.ones([2, 4, 3]),
      (x) => new CircularPad2d([0, 4, 0, 0]).call(x),
      'at most 3 elements along axis 2',
    ],
    [
      'of another rank',
      () => tf.ones([3]),
      (x) => new ReplicationPad1d(1).call(x),
      'it must be [n, channels, length] or [channels, length].',
    ],
    [
      'must leave elements',
      () => tf.ones([2, 3]),
      (x) => new ConstantPad1d([-2, -1], 0).call(x),
      'the input has shape [2, 3], the padding [-2, -1] needs 1 axes and must leave elements.',
    ],
    ['without enough axes', () => tf.ones([3]), (x) => new ZeroPad2d(1).call(x), 'needs 2 axes'],
  ])('refuse an input %s', (_, make, call, message) => {
    const x = make();
    expect(() => call(x)).toThrow(
      expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(message) }),
    );
    x.dispose();
  });

  it('that a convolution has inside speak of the input of that', () => {
    const layer = new Conv2d(2, 3, 3, { padding: 2, paddingMode: 'reflect' });
    const x = tf.ones([2, 5, 2]);
    expect(() => layer.call(x)).toThrow(
      "Conv2d: the input has shape [2, 5, 2]. 'reflect' repeats at most 1 elements along axis 2",
    );
    x.dispose();
    layer.dispose();
  });
});
