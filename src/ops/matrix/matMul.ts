import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isWasm } from '../../engine/backend.ts';
import { transpose } from './transpose.ts';

// Products of matrices, or of each matrix of two equal batches, whose gradients, of any order, are such products again.
//
// The matrix product of the wasm backend is ten times slower if it is to transpose a factor, and the gradient that tfjs
// has for a product does that, whether the product did or not. Here the factor is transposed first. And as slow is that
// of a batch of more than one, so that the matrices of a batch are multiplied one by one unless they are small.

/** From this number of multiplications on, a product is faster by itself than in a batch, on the wasm backend. */
const LARGE = 2 ** 17;

/**
 * `a·bᵀ`, `[n, k]` and `[m, k]` to `[n, m]`.
 *
 * @param bTransposed - bᵀ, for a b that is the factor of many products
 */
export function matMulNT(a: Tensor, b: Tensor, bTransposed?: Tensor): Tensor {
  return product(
    (a, b) => (bTransposed ? plainMatMul(a, bTransposed) : plainMatMul(a, b, false, true)),
    (dy, a, b) => [matMul(dy, b), matMulTN(dy, a)],
  )(a, b);
}

/** `a·b`, `[n, k]` and `[k, m]` to `[n, m]`. */
export const matMul = product(
  (a, b) => plainMatMul(a, b),
  (dy, a, b) => [matMulNT(dy, b), matMulTN(a, dy)],
);

/** `aᵀ·b`, `[k, n]` and `[k, m]` to `[n, m]`. */
export const matMulTN = product(
  (a, b) => plainMatMul(a, b, true, false),
  (dy, a, b) => [matMulNT(b, dy), matMul(a, dy)],
);

/** `a·b` of a constant a: with a gradient to b only. */
export function constantMatMul(a: Tensor, b: Tensor): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const save = inputs[1] as unknown as tf.GradSaveFunc;
    save([a]);
    return {
      value: plainMatMul(a, b),
      gradFunc: (dy, saved) => matMulTN((saved as Tensor[])[0]!, dy as Tensor),
    };
  });
  return operation(b);
}

/** The product for computations that have a gradient of their own. */
export function plainMatMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  if (!isWasm()) return tf.matMul(a as Tensor2D, b as Tensor2D, transposeA, transposeB);
  if (a.size === 0 && b.size === 0) return emptyProduct(a.shape, b.shape, transposeA, transposeB);
  const left = transposeA ? transpose(a) : a;
  const right = transposeB ? transpose(b) : b;
  return areLargeMatrices(left, right)
    ? oneByOne(left, right)
    : tf.matMul(left as Tensor2D, right as Tensor2D);
}

/** True of two batches whose matrices take so many multiplications that they should not be multiplied as a batch. */
function areLargeMatrices({ shape: [count, n, k] }: Tensor, { shape: b }: Tensor): boolean {
  return b.length === 3 && count! > 1 && count === b[0] && n! * k! * b[2]! >= LARGE;
}

function oneByOne(a: Tensor, b: Tensor): Tensor {
  const count = a.shape[0]!;
  const others = tf.split(b, count);
  return tf.concat(
    tf.split(a, count).map((matrix, i) => tf.matMul(matrix as Tensor2D, others[i] as Tensor2D)),
  );
}

/** Sums of no terms: zeros, where the wasm backend leaves the memory as it finds it. */
function emptyProduct(a: number[], b: number[], transposeA: boolean, transposeB: boolean): Tensor {
  return tf.zeros([...a.slice(0, -2), a.at(transposeA ? -1 : -2)!, b.at(transposeB ? -2 : -1)!]);
}

function product(
  value: (a: Tensor, b: Tensor) => Tensor,
  gradient: (dy: Tensor, a: Tensor, b: Tensor) => Tensor[],
): (a: Tensor, b: Tensor) => Tensor {
  return tf.customGrad((...inputs) => {
    const [a, b, save] = inputs as [Tensor, Tensor, tf.GradSaveFunc];
    save([a, b]);
    return {
      value: value(a, b),
      gradFunc: (dy, saved) => {
        const [a, b] = saved as Tensor[] as [Tensor, Tensor];
        return gradient(dy, a, b);
      },
    };
  });
}
