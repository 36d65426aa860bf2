import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { swapLastAxes } from './transpose.ts';

// Products of matrices, or of each matrix of two equal batches, whose gradients, of any order, are such products again.
//
// The matrix product of the wasm backend is ten times slower if it is to transpose a factor, and the gradient that tfjs
// has for a product does that, whether the product did or not. Here the factor is transposed first. And as slow is that of
// a batch of more than one, so that the matrices of a batch are multiplied one by one unless they are small.

/** How many multiplications a product takes from which on it is faster by itself than in a batch, on the wasm backend. */
const LARGE = 2 ** 17;

/** A matrix, or each of a batch, transposed. */
export function transposed(matrix: Tensor): Tensor2D {
  const [batch, rows, columns] = [matrix.shape.slice(0, -2), matrix.shape.at(-2)!, matrix.shape.at(-1)!];
  const matrices = tf.reshape(matrix, [tf.util.sizeFromShape(batch), rows, columns]);
  // Not a vector reshaped: the product of the wasm backend knows what it has prepared for a second factor by its data,
  // would take it for that of the other shape, and damage the heap.
  const isVector = rows === 1 || columns === 1;
  const swapped = isVector ? tf.transpose(matrices, [0, 2, 1]) : swapLastAxes(matrices);
  return tf.reshape<tf.Rank>(swapped, [...batch, columns, rows]) as Tensor2D;
}

/**
 * `a·bᵀ`, `[n, k]` and `[m, k]` to `[n, m]`.
 *
 * @param bTransposed - bᵀ, for a b that is the factor of many products
 */
export function timesTransposed(a: Tensor, b: Tensor, bTransposed?: Tensor): Tensor {
  return product(
    (a, b) => (bTransposed ? multiply(a, bTransposed) : multiply(a, b, false, true)),
    (dy, a, b) => [times(dy, b), transposedTimes(dy, a)],
  )(a, b);
}

/** `a·b`, `[n, k]` and `[k, m]` to `[n, m]`. */
export const times = product(
  (a, b) => multiply(a, b),
  (dy, a, b) => [timesTransposed(dy, b), transposedTimes(a, dy)],
);

/** `aᵀ·b`, `[k, n]` and `[k, m]` to `[n, m]`. */
export const transposedTimes = product(
  (a, b) => multiply(a, b, true, false),
  (dy, a, b) => [timesTransposed(b, dy), times(a, dy)],
);

/** `a·b` of a constant a: with a gradient to b only. */
export function constantTimes(a: Tensor, b: Tensor): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const save = inputs[1] as unknown as tf.GradSaveFunc;
    save([a]);
    return {
      value: multiply(a, b),
      gradFunc: (dy, saved) => transposedTimes((saved as Tensor[])[0]!, dy as Tensor),
    };
  });
  return operation(b);
}

/** The product for computations that have a gradient of their own. */
export function multiply(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  if (tf.getBackend() !== 'wasm') return tf.matMul(a as Tensor2D, b as Tensor2D, transposeA, transposeB);
  if (a.size === 0 && b.size === 0) return emptyProduct(a.shape, b.shape, transposeA, transposeB);
  const left = transposeA ? transposed(a) : a;
  const right = transposeB ? transposed(b) : b;
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
