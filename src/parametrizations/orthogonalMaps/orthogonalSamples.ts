import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { nextSeed, normalNumbers } from '../../nn/init/random.ts';
import { positiveQr } from '../../ops/matrix/positiveQr.ts';
import { cos, sin } from '../../ops/sin.ts';
import { withLastColumnTimes } from './orthogonalBase.ts';

/**
 * Draws matrices with orthonormal columns from the uniform (Haar) distribution: the Q of the QR decomposition, with a
 * positive diagonal of R, of normal numbers. Follows `nn.manualSeed`.
 *
 * **Shape**: [b, n, k], n ≥ k.
 *
 * @param isSpecial - if true, square matrices have the determinant 1
 * @see Mezzadri 2007, arXiv:math-ph/0609050
 */
export function haar(shape: readonly [number, number, number], isSpecial = false): Tensor {
  const { Q, determinant } = positiveQr(normalNumbers(shape));
  return isSpecial ? withLastColumnTimes(Q, determinant) : Q;
}

/**
 * Draws rotations of each pair of neighboring axes by an angle from U(−π, π); the last axis of an odd number stays. The
 * result is the first k columns. The eigenvalues `e^(±iθ)` are uniform on the unit circle, which suits the recurrent
 * kernels of long sequences. Follows `nn.manualSeed`.
 *
 * **Shape**: [b, n, k], n ≥ k.
 *
 * @see Henaff et al. 2016, arXiv:1602.06662
 */
export function torus([b, n, k]: readonly [number, number, number]): Tensor {
  const pairs = Math.ceil(n / 2);
  const random = tf.randomUniform([b, pairs, 1], -Math.PI, Math.PI, 'float32', nextSeed());
  // The last axis of an odd number is in a pair with an axis that is cut off.
  const isTurned = tf.reshape(tf.cast(tf.less(tf.range(0, pairs), Math.floor(n / 2)), 'float32'), [
    1,
    pairs,
    1,
  ]);
  const angles = tf.mul(random, isTurned);
  const [c, s] = [cos(angles), sin(angles)];
  const rotations = tf.reshape(tf.concat([c, tf.neg(s), s, c], 2), [b, pairs, 2, 1, 2]);
  const places = tf.reshape(tf.eye(pairs), [1, pairs, 1, pairs, 1]);
  const all = tf.reshape(tf.mul(rotations, places), [b, 2 * pairs, 2 * pairs]);
  return tf.slice(all, [0, 0, 0], [b, n, k]);
}
