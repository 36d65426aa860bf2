import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Upsample, type UpsampleOptions } from '../../src/nn/index.ts';
import { example, expectGradients } from './gradientCheck.ts';

/** torch's upsampling of one sequence, straight from its formula. */
function directUpsample(x: readonly number[], outputs: number, step: number, mode: string, align: boolean) {
  return Array.from({ length: outputs }, (_, t) => {
    if (mode === 'nearest') return x[Math.min(Math.floor(t * step), x.length - 1)]!;
    const aligned = outputs > 1 ? (t * (x.length - 1)) / (outputs - 1) : 0;
    const place = align ? aligned : Math.max((t + 0.5) * step - 0.5, 0);
    const [before, after] = [Math.floor(place), Math.floor(place) + 1].map(
      (i) => x[Math.min(i, x.length - 1)]!,
    );
    const weight = place - Math.floor(place);
    return before! * (1 - weight) + after! * weight;
  });
}

describe('Upsample', () => {
  it('is its formula along both axes, with a size or a factor', () => {
    const options = fc.record({
      mode: fc.constantFrom('nearest', 'bilinear'),
      align: fc.boolean(),
      size: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
      // Powers of two and their like, for which float32 and float64 floor alike.
      factors: fc.tuple(fc.constantFrom(0.5, 1, 1.5, 2, 2.25, 4), fc.constantFrom(0.75, 1, 2, 3.5)),
      bySize: fc.boolean(),
    });
    fc.assert(
      fc.property(options, ({ mode, align, size, factors, bySize }) => {
        const outputs = size.map((length, axis) => Math.floor(length * factors[axis]!));
        fc.pre(outputs.every((length) => length >= 1));
        const step = (axis: 0 | 1) => (bySize ? size[axis] / outputs[axis]! : 1 / factors[axis]);
        // Away from the places where rounding decides between neighbours.
        fc.pre(mode !== 'nearest' || [0, 1].every((a) => Number.isInteger(64 * step(a as 0 | 1))));
        const layer = new Upsample({
          ...(bySize ? { size: outputs } : { scaleFactor: factors }),
          mode: mode as 'nearest',
          ...(mode === 'nearest' ? {} : { alignCorners: align }),
        });
        tf.tidy(() => {
          const x = tf.randomUniform([2, 3, ...size], -1, 1);
          const [height, width] = size;
          const images = tf.reshape(x, [6, height, width]).arraySync() as number[][][];
          const wanted = images.map((image) => {
            const wide = image.map((row) => directUpsample(row, outputs[1]!, step(1), mode, align));
            const columns = wide[0]!.map((_, q) => wide.map((row) => row[q]!));
            const tall = columns.map((column) => directUpsample(column, outputs[0]!, step(0), mode, align));
            return tall[0]!.map((_, p) => tall.map((column) => column[p]!));
          });
          const y = layer.call(x);
          expect(y.shape).toEqual([2, 3, ...outputs]);
          expect(y).toBeAllClose(wanted);
        });
      }),
    );
  });

  // Long enough for wasm and cpu to gather instead of multiplying by a matrix.
  it.each<[string, UpsampleOptions]>([
    ['twice as long, repeated', { scaleFactor: 2 }],
    ['2.5 times as long, repeated', { scaleFactor: 2.5 }],
    ['three times as long, by lines', { scaleFactor: 3, mode: 'linear' }],
    ['shorter, by lines from end to end', { size: 411, mode: 'linear', alignCorners: true }],
  ])('makes a long sequence %s', (_, options) => {
    tf.tidy(() => {
      const x = tf.randomUniform([1, 2, 1024], -1, 1);
      const layer = new Upsample(options);
      const y = layer.call(x);
      const step =
        options.size == null ? 1 / (options.scaleFactor as number) : 1024 / (options.size as number);
      const [mode, align] = [options.mode ?? 'nearest', options.alignCorners === true];
      const wanted = (x.arraySync() as number[][][])[0]!.map((row) =>
        directUpsample(row, y.shape[2]!, step, mode, align),
      );
      expect(y).toBeAllClose(wanted, { absolute: 2e-4 });
      // ⟨A·x, dy⟩ = ⟨x, Aᵀ·dy⟩
      const dy = tf.randomUniform(y.shape, -1, 1);
      const dx = tf.grad((x) => layer.call(x))(x, dy);
      expect(tf.sum(tf.mul(dx, x))).toBeAllClose(tf.sum(tf.mul(dy, y)), { relative: 1e-4, absolute: 1e-3 });
      const penalty = (x: tf.Tensor) =>
        tf.sum(tf.square(tf.grad((x) => tf.sum(tf.square(layer.call(x))))(x)));
      const halfway = tf.grad((v) => tf.sum(tf.mul(layer.call(v), layer.call(dx))))(x);
      expect(tf.grad(penalty)(x).shape).toEqual(x.shape);
      expect(halfway).toBeAllClose(tf.grad((x) => layer.call(x))(x, layer.call(dx)), { absolute: 1e-5 });
    });
  });

  it('can be differentiated twice', () => {
    for (const options of [
      { scaleFactor: 2 },
      { size: [5, 3] },
      { scaleFactor: [1.5, 2], mode: 'bilinear' },
      { size: [7, 2], mode: 'bilinear', alignCorners: true },
    ] as const) {
      const x = example([1, 2, 3, 4]);
      expectGradients(() => new Upsample(options).call(x), [x]);
      x.dispose();
    }
  });

  it('takes an empty batch, has no state, and prints as torch does', () => {
    tf.tidy(() => {
      expect(new Upsample({ size: 4 }).call(tf.zeros([0, 2, 3])).shape).toEqual([0, 2, 4]);
    });
    const layers = [new Upsample({ scaleFactor: 2 }), new Upsample({ size: [4, 6], mode: 'bilinear' })];
    expect(layers.map(String)).toEqual([
      "Upsample(scaleFactor=2, mode='nearest')",
      "Upsample(size=[4, 6], mode='bilinear')",
    ]);
    expect(Object.keys(layers[0]!.stateDict())).toEqual([]);
  });

  it.each<[string, UpsampleOptions, string]>([
    ['neither size nor factor', {}, 'Upsample: neither size nor scaleFactor is given.'],
    ['both size and factor', { size: 2, scaleFactor: 2 }, 'both size and scaleFactor are given'],
    ['a fraction of elements', { size: 2.5 }, 'size is 2.5, it must be an integer of at least 1.'],
    [
      'a factor of 0',
      { scaleFactor: [2, 0] },
      'scaleFactor is [2, 0], it must be a positive number, or one for each axis.',
    ],
    [
      'corners of the nearest',
      { size: 2, alignCorners: true },
      "alignCorners is true, but mode is 'nearest', which knows no corners.",
    ],
    [
      'an unknown mode',
      { size: 2, mode: 'bicubic' as never },
      "mode is 'bicubic', it must be one of 'nearest', 'linear', 'bilinear'.",
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => new Upsample(options)).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, UpsampleOptions, number[], string]>([
    [
      'a sequence as an image',
      { size: 2, mode: 'bilinear' },
      [1, 2, 3],
      "Upsample: the input has shape [1, 2, 3], for the mode 'bilinear' it must be [n, channels, height, width].",
    ],
    [
      'an image with one size',
      { size: [2] },
      [1, 2, 3, 3],
      "for the mode 'nearest' with [2] it must be [n, channels, length].",
    ],
    ['no batch', { size: 2 }, [2, 3], 'it must be [n, channels, length] or [n, channels, height, width].'],
    ['an empty output', { scaleFactor: 0.25 }, [1, 2, 3], 'which gives an output of size [0].'],
  ])('refuses %s', (_, options, shape, message) => {
    tf.tidy(() => {
      expect(() => new Upsample(options).call(tf.ones(shape))).toThrow(
        expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(message) }),
      );
    });
  });
});
