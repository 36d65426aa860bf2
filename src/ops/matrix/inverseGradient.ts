import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { matMul, matMulNT, matMulTN } from './matMul.ts';
import { transpose } from './transpose.ts';

/**
 * Adds the gradient of the inverse, of any order, to an algorithm that inverts matrices: `dM = −XᵀdXXᵀ` with `X = M⁻¹`.
 *
 * The first derivative takes two products with the known inverse. Only the second derivative inverts again.
 *
 * @param invert - the algorithm for a batch of matrices [b, n, n]; it is not differentiated
 */
export function differentiableInverse(invert: (M: Tensor) => Tensor): (M: Tensor) => Tensor {
  const inverse: (M: Tensor) => Tensor = tf.customGrad((...inputs) => {
    const [M, save] = inputs as [Tensor, tf.GradSaveFunc];
    const X = invert(M);
    save([M, X]);
    return {
      value: X,
      gradFunc: (dX, saved) => {
        const [M, X] = saved as Tensor[] as [Tensor, Tensor];
        return pullBack(dX as Tensor, M, X);
      },
    };
  });
  /** `−XᵀdXXᵀ` as a function of dX and M. X is computed again, so that M has a gradient. */
  const pullBack = (dX: Tensor, M: Tensor, X: Tensor): Tensor => {
    const operation = tf.customGrad((...inputs) => {
      const [dX, M, save] = inputs as [Tensor, Tensor, tf.GradSaveFunc];
      const result = between(X, dX);
      save([dX, M]);
      return {
        value: result,
        gradFunc: (u, saved) => {
          const [dX, M] = saved as Tensor[] as [Tensor, Tensor];
          const X = inverse(M);
          const toM = matMul(between(X, dX), matMulNT(transpose(u as Tensor), X));
          const toOther = matMulTN(X, matMulTN(u as Tensor, between(X, dX)));
          return [tf.neg(matMul(matMul(X, u as Tensor), X)), tf.neg(tf.add(toM, toOther))];
        },
      };
    });
    return operation(dX, M);
  };
  return inverse;
}

/** `−XᵀdXXᵀ` */
const between = (X: Tensor, dX: Tensor): Tensor => tf.neg(matMulNT(matMulTN(X, dX), X));
