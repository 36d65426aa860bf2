import type { Tensor } from '@tensorflow/tfjs-core';
import { numbersAtHand } from '../engine/numbersAtHand.ts';
import { reflectionProduct } from '../linalg/blockReflection.ts';
import { householderProduct } from '../linalg/householderProduct.ts';
import { inverse } from '../linalg/inverse.ts';
import { matrixExp } from '../linalg/matrixExp.ts';
import { type QrFactors, qr } from '../linalg/qr.ts';

/**
 * Functions of matrices that look at numbers where the backend in use has them at hand, and do only what these need; why
 * they may, linalg/numbersAtHand.ts says.
 *
 * **Shape**: of the exponential and the inverse [b, n, n]; of products of reflections and QR factors [b, n, k].
 * **Gradient**: of any order; none of `qr` and `reflectionProduct`.
 */
export const matrixFunctions = {
  /** See {@link matrixExp}. */
  matrixExp: (A: Tensor): Tensor => matrixExp(A, numbersAtHand),
  /** See {@link inverse}. */
  inverse: (M: Tensor): Tensor => inverse(M, numbersAtHand),
  /** See {@link householderProduct}. */
  householderProduct: (A: Tensor): Tensor => householderProduct(A, numbersAtHand),
  /** See {@link qr}. */
  qr: (A: Tensor): QrFactors => qr(A, numbersAtHand),
  /** See {@link reflectionProduct}. */
  reflectionProduct: (vectors: Tensor, columns: number): Tensor =>
    reflectionProduct(vectors, columns, numbersAtHand),
};
