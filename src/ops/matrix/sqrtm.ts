import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { repeat } from '../repeat.ts';
import { plainMatMul } from './matMul.ts';
import { sizeOf } from './newtonSchulz.ts';
import { symmetricPart } from './symmetricPart.ts';

/** The number of steps. Each multiplies a small eigenvalue of `ZY` by 2.25, and they double the digits at the end. */
const STEPS = 20;

/**
 * Computes the square root of symmetric positive definite matrices: `RR = A`, R symmetric positive definite.
 *
 * From `Y = A/s` and `Z = I`, with s above the largest eigenvalue, each step computes `T = (3I − ZY)/2`, `Y ← YT` and
 * `Z ← TZ`. Y tends to the root of A/s, and Z to its inverse.
 *
 * @remarks
 * **Shape**: A, R: [b, n, n]. R is symmetric to the last bit.
 * **Domain**: eigenvalues of at least 0. The steps diverge from an eigenvalue below −1e-7·s, so a caller raises those
 * that may be negative by rounding.
 * **Accuracy**: 1e-6·‖R‖ for condition numbers up to 100, 6e-6·‖R‖ up to 1e5, 1e-4·‖R‖ for singular matrices.
 * **Cost**: 60 products; a few matrices of the size of A at once.
 * **Gradient**: none.
 *
 * @see Higham 2008, Functions of Matrices, chapter 6
 */
export const sqrtm = (A: Tensor): Tensor =>
  tf.tidy(() => {
    const { scale, bound } = sizeOf(A);
    const identity = tf.eye(A.shape[2]!);
    const three = tf.mul(identity, 3);
    const start = tf.div(tf.div(A, scale), bound);
    const [Y] = repeat(STEPS, [start, tf.broadcastTo(identity, A.shape)], (Y, Z) => {
      const T = tf.mul(tf.sub(three, plainMatMul(Z, Y)), 0.5);
      return [plainMatMul(Y, T), plainMatMul(T, Z)];
    });
    return tf.mul(tf.mul(symmetricPart(Y), tf.sqrt(scale)), tf.sqrt(bound));
  });
