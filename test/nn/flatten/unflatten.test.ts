import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flatten, Unflatten } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';

const shapes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5 });

describe('Unflatten', () => {
  it('undoes Flatten, for any run of axes, also if one size is computed', () => {
    const arbitrary = shapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.integer({ min: 0, max: shape.length - 1 }),
        fc.integer({ min: 0, max: shape.length - 1 }),
        fc.boolean(),
        fc.nat(),
      ),
    );
    fc.assert(
      fc.property(arbitrary, ([shape, a, b, isNegative, computed]) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const x = tf.randomNormal(shape);
        const flat = new Flatten(start, end).call(x);
        const sizes = shape.slice(start, end + 1);
        const oneComputed = sizes.map((size, i) => (i === computed % sizes.length ? -1 : size));
        const dim = isNegative ? start - flat.rank : start;
        for (const unflattenedSize of [sizes, oneComputed]) {
          const y = new Unflatten(dim, unflattenedSize).call(flat);
          expect(y.shape).toEqual(shape);
          expect(Array.from(y.dataSync())).toEqual(Array.from(x.dataSync()));
          y.dispose();
        }
        tf.dispose([x, flat]);
      }),
    );
  });

  it('takes an empty axis apart where the sizes say how', () => {
    const x = tf.zeros([2, 0]);
    const y = new Unflatten(1, [0, 3]).call(x);
    const z = new Unflatten(1, [3, -1]).call(x);
    expect([y.shape, z.shape]).toEqual([
      [2, 0, 3],
      [2, 3, 0],
    ]);
    expect(() => new Unflatten(1, [0, -1]).call(x)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    tf.dispose([x, y, z]);
  });

  it('can be differentiated twice', () => {
    const x = example([2, 6]);
    expectGradients(() => tf.square(new Unflatten(1, [2, -1]).call(x)), [x]);
    x.dispose();
  });

  it('is not changed by who keeps the sizes', () => {
    const sizes = [2, 3];
    const layer = new Unflatten(0, sizes);
    sizes[0] = 5;
    const x = tf.zeros([6]);
    const y = layer.call(x);
    expect(y.shape).toEqual([2, 3]);
    tf.dispose([x, y]);
  });

  it.each([[[4, -1]], [[2, 2]], [[0, -1]], [[7]]])('refuses the sizes %o for an axis of 6', (sizes) => {
    const x = tf.zeros([2, 6]);
    expect(() => new Unflatten(1, sizes).call(x)).toThrow(
      expect.objectContaining({
        code: 'SHAPE',
        message: expect.stringContaining(
          `the sizes [${sizes.join(', ')}] do not multiply up to axis 1 of an input of shape [2, 6]`,
        ),
      }),
    );
    x.dispose();
  });

  it('refuses an axis that the input lacks, and a scalar', () => {
    const [x, scalar] = [tf.zeros([2, 6]), tf.scalar(1)];
    expect(() => new Unflatten(2, [1, 1]).call(x)).toThrow(
      'Unflatten: dim is 2, but the input has shape [2, 6]. Pass a dim from -2 to 1.',
    );
    expect(() => new Unflatten(0, [1, -1]).call(scalar)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    tf.dispose([x, scalar]);
  });

  it.each([
    ['no sizes', [], 'unflattenedSize is [], it must be an array of at least one size'],
    ['a number', 6, 'unflattenedSize is 6, it must be an array'],
    ['two computed sizes', [-1, -1], 'unflattenedSize is [-1, -1], only one size can be computed'],
    ['another negative size', [2, -2], 'is -2, it must be an integer of at least -1'],
    ['a fraction', [1.5], 'is 1.5, it must be an integer'],
  ])('refuses %s', (_what, sizes, message) => {
    expect(() => new Unflatten(1, sizes as number[])).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('refuses an axis that is no integer', () => {
    expect(() => new Unflatten('1' as never, [2])).toThrow('dim is 1, it must be an integer');
  });

  it('prints its options as torch does', () => {
    expect(new Unflatten(1, [2, -1]).toString()).toBe('Unflatten(dim=1, unflattenedSize=(2, -1))');
    expect(new Unflatten(-1, [6]).toString()).toBe('Unflatten(dim=-1, unflattenedSize=(6,))');
  });
});
