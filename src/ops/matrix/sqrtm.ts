import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { GramSpectrum } from '../float64/gramSpectrum.ts';
import { plainMatMul } from './matMul.ts';
import { sizeOf } from './newtonSchulz.ts';
import { NewtonSchulzSteps } from './newtonSchulzSteps.ts';
import { symmetricPart } from './symmetricPart.ts';

/**
 * The number of steps for small eigenvalues, and of those that follow. More steps would turn an eigenvalue that is
 * negative by a rounding error into a large number.
 */
const [APPROACH, FINISH] = [6, 5];

/**
 * Computes the square root of symmetric positive definite matrices: `RR = A`, R symmetric positive definite.
 *
 * From `Y = A/s` and `Z = I`, with s above the largest eigenvalue, each step computes `T = c(s·I − ZY)`, `Y ← YT` and
 * `Z ← TZ`. Y tends to the root of A/s, and Z to its inverse. The eigenvalues of ZY are the squares of numbers that
 * {@link NewtonSchulzSteps} maps to 1.
 *
 * @remarks
 * **Shape**: A, R: [b, n, n]. R is symmetric to the last bit.
 * **Domain**: eigenvalues of at least 0. The steps diverge from an eigenvalue below −1e-7·s, so a caller raises those
 * that may be negative by rounding.
 * **Accuracy**: 1e-6·‖R‖ for condition numbers up to 100, 6e-6·‖R‖ up to 1e5, 1e-4·‖R‖ for singular matrices.
 * **Cost**: 33 products; fewer for small condition numbers if numbers can be read; a few matrices of the size of A at
 * once.
 * **Gradient**: none.
 *
 * @see Higham 2008, Functions of Matrices, chapter 6
 */
export function sqrtm(A: Tensor, read: SyncReader = hostValues): Tensor {
  const steps = new NewtonSchulzSteps(APPROACH, FINISH);
  const [b, n] = A.shape as [number, number, number];
  const spectrum = new GramSpectrum(b, n);
  return tf.tidy(() => {
    const { scale, bound } = sizeOf(A);
    const identity = tf.eye(n);
    let state: [Y: Tensor, Z: Tensor] = [tf.div(tf.div(A, scale), bound), tf.broadcastTo(identity, A.shape)];
    for (;;) {
      const [Y, Z] = state;
      const G = tf.tidy(() => plainMatMul(Z, Y));
      const numbers = read(G);
      const { c, s, isLast } = steps.next(numbers === null ? null : spectrum.estimate(numbers));
      state = tf.tidy(() => {
        const T = tf.mul(tf.sub(tf.mul(identity, s), G), c);
        return [plainMatMul(Y, T), plainMatMul(T, Z)];
      });
      tf.dispose([G, Y, Z]);
      if (isLast) break;
    }
    return tf.mul(tf.mul(symmetricPart(state[0]), tf.sqrt(scale)), tf.sqrt(bound));
  });
}
