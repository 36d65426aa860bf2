import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AvgPool1d,
  AvgPool2d,
  MaxPool1d,
  MaxPool2d,
} from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { type DirectWindow, directPool, pooledLength } from './directPool.ts';

/** Windows over `rank` axes that fit an input of length 3 to 7. */
const windows = (rank: number, maxDilation: number) => {
  const sizes = (min: number, max: number) =>
    fc.array(fc.integer({ min, max }), { minLength: rank, maxLength: rank });
  return fc
    .record({
      size: sizes(3, 7),
      kernelSize: sizes(1, 3),
      stride: sizes(1, 3),
      padding: sizes(0, 2),
      dilation: sizes(1, maxDilation),
      ceilMode: fc.boolean(),
      batched: fc.boolean(),
    })
    .filter(({ size, ...window }) =>
      size.every(
        (length, axis) =>
          2 * window.padding[axis]! <= window.dilation[axis]! * (window.kernelSize[axis]! - 1) + 1 &&
          pooledLength(length, axis, window) >= 1,
      ),
    );
};

/** Whether every window meets the input: one of −∞ only has no gradient. */
const meets = (x: tf.Tensor, window: DirectWindow): boolean =>
  directPool(x, window, (inside) => inside.length).values.every((count) => count > 0);

describe.each([
  [1, MaxPool1d, AvgPool1d],
  [2, MaxPool2d, AvgPool2d],
] as const)('over %i axes', (rank, MaxPool, AvgPool) => {
  it('MaxPool takes the largest element of every window for any stride, padding, dilation and ceilMode', () => {
    fc.assert(
      fc.property(windows(rank, 3), ({ size, batched, kernelSize, ...options }) => {
        tf.tidy(() => {
          const x = tf.randomUniform([...(batched ? [2] : []), 3, ...size], -1, 1);
          const window = { kernelSize, ...options };
          const wanted = directPool(x, window, (inside) => Math.max(...inside));
          const y = new MaxPool(kernelSize as never, options as object).call(x);
          expect(y.shape).toEqual(wanted.shape);
          expect(y).toBeAllClose(wanted.values);
        });
      }),
    );
  });

  it('MaxPool has the gradient of its definition', () => {
    fc.assert(
      fc.property(windows(rank, 2), fc.nat(), ({ size, batched: _, kernelSize, ...options }, seed) => {
        tf.tidy(() => {
          const x = tf.randomUniform([2, 1, ...size], -1, 1, 'float32', seed + 1);
          const window = { kernelSize, ...options };
          fc.pre(meets(x, window));
          const layer = new MaxPool(kernelSize as never, options as object);
          const dy = tf.randomUniform(layer.call(x).shape, -1, 1, 'float32', seed + 2);
          // ∂⟨y, dy⟩/∂x at every place: the sum of the dy whose window has its largest element there.
          const input = x.dataSync();
          const wanted = new Array(x.size).fill(0);
          const gradients = dy.dataSync();
          directPool(x, window, (inside) => Math.max(...inside)).values.forEach((largest, i) => {
            wanted[input.indexOf(largest)] += gradients[i]!;
          });
          expect(tf.grad((x) => layer.call(x))(x, dy)).toBeAllClose(wanted);
        });
      }),
    );
  });

  it('AvgPool takes the mean of every window for any stride, padding and ceilMode', () => {
    fc.assert(
      fc.property(windows(rank, 1), fc.boolean(), (window, countIncludePad) => {
        const { size, batched, kernelSize, dilation: _, ...rest } = window;
        tf.tidy(() => {
          const x = tf.randomUniform([...(batched ? [2] : []), 3, ...size], -1, 1);
          const wanted = directPool(
            x,
            window,
            (inside, padded) =>
              inside.reduce((a, b) => a + b, 0) / (countIncludePad ? padded : inside.length),
          );
          const y = new AvgPool(kernelSize as never, { ...rest, countIncludePad } as object).call(x);
          expect(y.shape).toEqual(wanted.shape);
          expect(y).toBeAllClose(wanted.values);
        });
      }),
    );
  });
});

describe('MaxPool2d', () => {
  it('gives all of the gradient to the first of several largest elements, as torch', () => {
    tf.tidy(() => {
      const x = tf.tensor([[[1, 3, 3], [3, 0, 3]]]); // biome-ignore format: an image
      const dx = tf.grad((x) => new MaxPool2d(2, { stride: 1 }).call(x))(x);
      expect(dx).toBeAllClose(tf.tensor([[[0, 2, 0], [0, 0, 0]]])); // biome-ignore format: an image
    });
  });

  it('keeps infinities, and gives an input of them a finite gradient', () => {
    tf.tidy(() => {
      const x = tf.tensor([[[Number.NEGATIVE_INFINITY, 1, Number.POSITIVE_INFINITY, 2]]]);
      const layer = new MaxPool2d([1, 2]);
      expect(layer.call(x)).toBeAllClose([1, Number.POSITIVE_INFINITY]);
      expect(tf.grad((x) => layer.call(x))(x)).toBeAllClose([0, 1, 1, 0]);
    });
  });

  it('can be differentiated twice', () => {
    for (const options of [{}, { stride: 1, padding: 1, dilation: 2, ceilMode: true }]) {
      const x = example([1, 2, 4, 5]);
      const layer = new MaxPool2d(2, options);
      expectGradients(() => tf.mul(layer.call(x), layer.call(tf.neg(x))), [x]);
      x.dispose();
    }
  });
});

describe('AvgPool2d', () => {
  it('divides by divisorOverride', () => {
    tf.tidy(() => {
      const x = tf.randomUniform([2, 3, 4]);
      const sums = tf.mul(new AvgPool2d(2).call(x), 4);
      expect(new AvgPool2d(2, { divisorOverride: 3 }).call(x)).toBeAllClose(tf.div(sums, 3));
    });
  });

  it('can be differentiated twice', () => {
    for (const options of [{}, { stride: 1, padding: 1, countIncludePad: false }, { divisorOverride: 3 }]) {
      const x = example([1, 2, 4, 5]);
      expectGradients(() => new AvgPool2d([2, 3], options).call(x), [x]);
      x.dispose();
    }
  });
});

describe('AdaptiveAvgPool', () => {
  it('takes the means of as many parts as the output is long', () => {
    const length = fc.integer({ min: 1, max: 9 });
    const wantedSize = fc.option(fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(fc.tuple(length, length), fc.tuple(wantedSize, wantedSize), (size, outputSize) => {
        tf.tidy(() => {
          const x = tf.randomUniform([2, 3, ...size], -1, 1);
          const [h, w] = outputSize.map((wanted, axis) => wanted ?? size[axis]!) as [number, number];
          const range = (i: number, parts: number, length: number) =>
            [Math.floor((i * length) / parts), Math.ceil(((i + 1) * length) / parts)] as const;
          const wanted: tf.Tensor[] = [];
          for (let p = 0; p < h; p++)
            for (let q = 0; q < w; q++) {
              const [[top, bottom], [left, right]] = [range(p, h, size[0]), range(q, w, size[1])];
              const part = tf.slice(x, [0, 0, top, left], [2, 3, bottom - top, right - left]);
              wanted.push(tf.mean(part, [2, 3]));
            }
          const y = new AdaptiveAvgPool2d(outputSize).call(x);
          expect(y).toBeAllClose(tf.reshape(tf.stack(wanted, 2), [2, 3, h, w]));
          const rows = new AdaptiveAvgPool1d(outputSize[1]).call(
            tf.slice(x, [1, 0, 0, 0], [1, 3, 1, size[1]]).reshape([3, size[1]]),
          );
          expect(rows.shape).toEqual([3, w]);
        });
      }),
    );
  });

  it('is the mean over all for the size 1', () => {
    tf.tidy(() => {
      const x = tf.randomUniform([2, 3, 500]);
      expect(new AdaptiveAvgPool1d(1).call(x)).toBeAllClose(tf.mean(x, -1, true));
    });
  });

  it('can be differentiated twice', () => {
    const x = example([1, 2, 5, 4]);
    expectGradients(() => new AdaptiveAvgPool2d([3, 2]).call(x), [x]);
    x.dispose();
  });
});

describe('the pooling layers', () => {
  it('have no state, and print as torch does', () => {
    const layers = [
      new MaxPool1d(3),
      new MaxPool2d([2, 3], { stride: 2, padding: [1, 0], ceilMode: true }),
      new AvgPool1d(2, { stride: 1 }),
      new AvgPool2d(2, { countIncludePad: false }),
      new AdaptiveAvgPool1d(5),
      new AdaptiveAvgPool2d([3, null]),
    ];
    expect(layers.flatMap((layer) => Object.keys(layer.stateDict()))).toEqual([]);
    expect(layers.map(String)).toEqual([
      'MaxPool1d(kernelSize=3, stride=3, padding=0, dilation=1, ceilMode=false)',
      'MaxPool2d(kernelSize=[2, 3], stride=2, padding=[1, 0], dilation=1, ceilMode=true)',
      'AvgPool1d(kernelSize=[2], stride=[1], padding=[0])',
      'AvgPool2d(kernelSize=2, stride=2, padding=0)',
      'AdaptiveAvgPool1d(outputSize=5)',
      'AdaptiveAvgPool2d(outputSize=[3, null])',
    ]);
  });

  it('take an empty batch', () => {
    tf.tidy(() => {
      const x = tf.zeros([0, 2, 4, 6]);
      expect(new MaxPool2d(2).call(x).shape).toEqual([0, 2, 2, 3]);
      expect(new AvgPool2d(2).call(x).shape).toEqual([0, 2, 2, 3]);
      expect(new AdaptiveAvgPool2d(3).call(x).shape).toEqual([0, 2, 3, 3]);
    });
  });

  it.each<[string, () => unknown, string]>([
    [
      'too much padding',
      () => new MaxPool2d(3, { padding: [1, 2] }),
      'MaxPool2d: padding is 2 along axis 1, but the kernel spans 3, and at most half of it may lie outside of the input.',
    ],
    [
      'a stride of 0',
      () => new AvgPool1d(2, { stride: 0 }),
      'AvgPool1d: stride is 0, it must be an integer of at least 1.',
    ],
    [
      'an option that torch has and this has not',
      () => new MaxPool1d(2, { returnIndices: true } as never),
      "MaxPool1d: 'returnIndices' is not an option.",
    ],
    [
      'a dilation of means',
      () => new AvgPool2d(2, { dilation: 2 } as never),
      "AvgPool2d: 'dilation' is not an option.",
    ],
    ['a divisor of 0', () => new AvgPool2d(2, { divisorOverride: 0 }), 'divisorOverride is 0'],
    ['no size', () => new AdaptiveAvgPool2d([1, 0]), 'AdaptiveAvgPool2d: an element of outputSize is 0'],
    ['a number for no boolean', () => new MaxPool1d(2, { ceilMode: 1 as never }), 'ceilMode is 1 (number)'],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, (x: tf.Tensor) => unknown, string]>([
    [
      'smaller than the window',
      (x) => new MaxPool2d(4).call(x),
      'MaxPool2d: the input has shape [1, 3, 5], which gives an output of size [0, 1].',
    ],
    [
      'of another rank',
      (x) => new AvgPool1d(1).call(tf.reshape(x, [15])),
      'AvgPool1d: the input has shape [15], it must be [n, channels, length] or [channels, length].',
    ],
  ])('refuse an input %s', (_, call, message) => {
    tf.tidy(() => {
      expect(() => call(tf.ones([1, 3, 5]))).toThrow(
        expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(message) }),
      );
    });
  });
});
