import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flatten } from '../../../src/nn/index.ts';

describe('Flatten', () => {
  it('keeps the first axis and merges the others', () => {
    const x = tf.tidy(() => tf.reshape(tf.range(0, 24), [2, 3, 4]));
    const y = new Flatten().call(x);
    expect(y.shape).toEqual([2, 12]);
    expect(Array.from(y.dataSync())).toEqual(Array.from(x.dataSync()));
    tf.dispose([x, y]);
  });

  it('merges any run of axes and keeps the order of the elements', () => {
    const arbitrary = fc
      .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 })
      .chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          fc.integer({ min: 0, max: shape.length - 1 }),
          fc.integer({ min: 0, max: shape.length - 1 }),
          fc.boolean(),
        ),
      );
    fc.assert(
      fc.property(arbitrary, ([shape, a, b, negative]) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const shift = negative ? shape.length : 0;
        const x = tf.randomNormal(shape);
        const y = new Flatten(start - shift, end - shift).call(x);
        const merged = shape.slice(start, end + 1).reduce((size, n) => size * n, 1);
        expect(y.shape).toEqual([...shape.slice(0, start), merged, ...shape.slice(end + 1)]);
        expect(Array.from(y.dataSync())).toEqual(Array.from(x.dataSync()));
        tf.dispose([x, y]);
      }),
    );
  });

  it('makes an axis of a scalar', () => {
    const x = tf.scalar(7);
    const y = new Flatten(0).call(x);
    expect(y.shape).toEqual([1]);
    tf.dispose([x, y]);
  });

  it('lets gradients through', () => {
    const x = tf.ones([2, 3]);
    const gradient = tf.grad((z) => tf.sum(tf.square(new Flatten(0).call(z))))(x);
    expect(gradient).toBeAllClose([
      [2, 2, 2],
      [2, 2, 2],
    ]);
    tf.dispose([x, gradient]);
  });

  it('refuses axes that the input lacks, and a run that ends before it starts', () => {
    const x = tf.ones([3]);
    const y = tf.ones([2, 2, 2]);
    expect(() => new Flatten().call(x)).toThrow(
      expect.objectContaining({
        code: 'SHAPE',
        message: 'Flatten: startDim is 1, but the input has shape [3]. Pass a dim from -1 to 0.',
      }),
    );
    expect(() => new Flatten(-1, 1).call(y)).toThrow('startDim -1 lies behind endDim 1');
    expect(() => new Flatten(0.5)).toThrow(expect.objectContaining({ code: 'OPTION' }));
    tf.dispose([x, y]);
  });

  it('prints its options as torch does', () => {
    expect(new Flatten().toString()).toBe('Flatten(startDim=1, endDim=-1)');
  });
});
