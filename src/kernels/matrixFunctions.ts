import type { Tensor } from '@tensorflow/tfjs-core';
import { numbersAtHand } from '../engine/hostValues.ts';
import { reflectionProduct } from '../ops/matrix/blockReflection.ts';
import { householderProduct } from '../ops/matrix/householderProduct.ts';
import { inverse } from '../ops/matrix/inverse.ts';
import { matrixExp } from '../ops/matrix/matrixExp.ts';
import { type QrFactors, qr } from '../ops/matrix/qr.ts';

/**
 * Functions of matrices that look at numbers where the backend in use has them at hand, and do only what these need; why
 * they may, ops/syncReader.ts says.
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
