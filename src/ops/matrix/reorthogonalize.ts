import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { plainMatMul } from './matMul.ts';

/**
 * Takes the rounding errors out of matrices whose columns are orthonormal but for them: `Q ← Q(3I − QᵀQ)/2`, a step of
 * Newton's iteration for the nearest orthogonal matrix, which squares the error.
 *
 * @remarks
 * **Shape**: Q: [b, n, k], n ≥ k.
 * **Gradient**: that of the identity.
 *
 * @param steps - how often
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
