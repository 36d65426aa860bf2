import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GLU } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';

const σ = (x: number) => 1 / (1 + Math.exp(-x));

describe('GLU', () => {
  it('multiplies the first half along any axis with the sigmoid of the second', () => {
    const cases = fc
      .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
      .chain((shape) =>
        fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })),
      );
    fc.assert(
      fc.property(cases, ([half, dim]) => {
        const axis = (dim + half.length) % half.length;
        const shape = half.map((size, i) => (i === axis ? 2 * size : size));
        const inner = tf.util.sizeFromShape(half.slice(axis));
        const x = example(shape, 3);
        const values = x.dataSync();
        const wanted = Array.from({ length: x.size / 2 }, (_, i) => {
          const first = Math.floor(i / inner) * 2 * inner + (i % inner);
          return values[first]! * σ(values[first + inner]!);
        });
        const y = new GLU(dim).call(x);
        expect(y.shape).toEqual(half);
        expect(Array.from(y.dataSync())).toBeAllClose(wanted);
        tf.dispose([x, y]);
      }),
    );
  });

  it('takes the last axis by default, and an empty one', () => {
    const layer = new GLU();
    expect(layer.toString()).toBe('GLU(dim=-1)');
    expect(layer.stateDict()).toEqual({});
    const x = tf.zeros([3, 0]);
    const y = layer.call(x);
    expect(y.shape).toEqual([3, 0]);
    tf.dispose([x, y]);
  });

  it.each([[0], [1], [-1]])('can be differentiated twice along dim %i', (dim) => {
    const layer = new GLU(dim);
    const x = example([2, 4, 2]);
    expectGradients(() => layer.call(x), [x]);
    x.dispose();
  });

  it('refuses an odd axis, a scalar, and a dim that the input lacks', () => {
    const refused: [number[], number, string][] = [
      [[2, 3], -1, 'GLU: the input has shape [2, 3], its axis 1 has size 3, which must be even.'],
      [[], -1, 'GLU: the input has shape [], its axis 0 has size 1, which must be even.'],
      [[2, 4], 2, 'GLU: dim is 2, but the input has shape [2, 4]. Pass a dim from -2 to 1.'],
    ];
    for (const [shape, dim, message] of refused) {
      const x = tf.ones(shape);
      expect(() => new GLU(dim).call(x)).toThrow(
        expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(message) }),
      );
      x.dispose();
    }
    expect(() => new GLU(0.5)).toThrow(expect.objectContaining({ code: 'OPTION' }));
  });
});
