import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { plainMatMul } from './matMul.ts';

/**
 * Removes rounding errors from matrices with nearly orthonormal columns: `Q ← Q(3I − QᵀQ)/2`. This step of Newton's
 * iteration for the nearest orthogonal matrix squares the error.
 *
 * @remarks
 * **Shape**: Q: [b, n, k], n ≥ k.
 * **Gradient**: the gradient of the identity.
 *
 * @param steps - the number of steps
 */
export function reorthogonalize(Q: Tensor, steps = 1): Tensor {
  const operation = tf.customGrad(() => {
    const identity = tf.mul(tf.eye(Q.shape[2]!), 1.5);
    let value = Q;
    for (let i = 0; i < steps; i++) {
      const gram = plainMatMul(value, value, true);
      value = plainMatMul(value, tf.sub(identity, tf.mul(gram, 0.5)));
    }
    return { value, gradFunc: (dy) => dy as Tensor };
  });
  return operation(Q);
}
