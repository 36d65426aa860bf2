import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normOp } from '../../../src/kernels/index.ts';
import { norm } from '../../../src/ops/norm/norm.ts';

describe('the norm by the kernels of weight normalization', () => {
  it('equals the norm by operations of tfjs for all shapes and axes, and leaves no tensor behind', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.boolean()),
        (shape, picks) => {
          const axes = shape.map((_, axis) => axis).filter(() => picks.next().value);
          tf.tidy(() => {
            const x = tf.randomNormal(shape);
            const { numTensors } = tf.memory();
            const norms = normOp(x, axes);
            expect(tf.memory().numTensors).toBe(numTensors + 1);
            const wanted = norm(x, axes);
            expect(norms.shape).toEqual(wanted.shape);
            expect(norms).toBeAllClose(wanted);
          });
        },
      ),
    );
  });

  it('is one kernel outside of gradients, and has the gradient of the norm inside', async () => {
    const x = tf.tensor2d([[3, 4]]);
    const { kernels } = await tf.profile(() => tf.tidy(() => void normOp(x, [1])));
    const isFused = ['cpu', 'wasm'].includes(tf.getBackend());
    if (isFused) expect(kernels.map(({ name }) => name)).toEqual(['tfjs-parametrize/Norm']);
    else expect(kernels.length).toBeGreaterThan(1);
    const gradient = tf.tidy(() => tf.grad((each) => normOp(each, [1]))(x));
    expect(gradient).toBeAllClose([[0.6, 0.8]]);
    tf.dispose([x, gradient]);
  });
});
