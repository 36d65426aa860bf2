import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isWasm } from '../../engine/backend.ts';
import { transpose } from './transpose.ts';

// Products of matrices, or of the matrices of two equal batches. Their gradients, of any order, are such products
// again.
//
// The matrix product of the wasm backend is ten times slower if it has to transpose a factor, and tfjs's gradient of a
// product always asks for that. These functions transpose the factor first. The product of a batch is as slow, so the
// matrices of a batch are multiplied one by one unless they are small.

/** The number of multiplications from which a product on wasm is faster alone than in a batch. */
const LARGE = 2 ** 17;

/**
 * `a·bᵀ`, `[n, k]` and `[m, k]` to `[n, m]`.
 *
 * @param bTransposed - bᵀ, which callers pass if b is a factor of many products
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

/** `a·b` with a constant a: only b gets a gradient. */
export function constantMatMul(a: Tensor, b: Tensor): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const save = inputs[1] as unknown as tf.GradSaveFunc;
    const result = plainMatMul(a, b);
    save([a]);
    return {
      value: result,
      gradFunc: (dy, saved) => matMulTN((saved as Tensor[])[0]!, dy as Tensor),
    };
  });
  return operation(b);
}

/** The product for computations that define their own gradient. */
export function plainMatMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  if (!isWasm()) return tf.matMul(a as Tensor2D, b as Tensor2D, transposeA, transposeB);
  if (a.size === 0 && b.size === 0) return emptyProduct(a.shape, b.shape, transposeA, transposeB);
  const left = transposeA ? transpose(a) : a;
  const right = transposeB ? transpose(b) : b;
  return areLargeMatrices(left, right)
    ? oneByOne(left, right)
    : tf.matMul(left as Tensor2D, right as Tensor2D);
}

/** True if the matrices of two batches are so large that they should be multiplied one by one. */
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

/** Returns the zeros of a product over an empty axis, where the wasm backend would leave the memory unset. */
function emptyProduct(a: number[], b: number[], transposeA: boolean, transposeB: boolean): Tensor {
  return tf.zeros([...a.slice(0, -2), a.at(transposeA ? -1 : -2)!, b.at(transposeB ? -2 : -1)!]);
}

function product(
  value: (a: Tensor, b: Tensor) => Tensor,
  gradient: (dy: Tensor, a: Tensor, b: Tensor) => Tensor[],
): (a: Tensor, b: Tensor) => Tensor {
  return tf.customGrad((...inputs) => {
    const [a, b, save] = inputs as [Tensor, Tensor, tf.GradSaveFunc];
    // Computed before anything is saved, here and in every custom gradient: tfjs leaks saved tensors if the rest fails.
    const result = value(a, b);
    save([a, b]);
    return {
      value: result,
      gradFunc: (dy, saved) => {
        const [a, b] = saved as Tensor[] as [Tensor, Tensor];
        return gradient(dy, a, b);
      },
    };
  });
}
