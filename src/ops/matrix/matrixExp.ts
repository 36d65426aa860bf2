import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { stopGradient } from '../stopGradient.ts';
import { matMul } from './matMul.ts';

/**
 * A polynomial `Σ Aᵏ/k!` up to a degree, in powers of A^block. Its remainder is below the precision of float32 for
 * matrices up to `size`.
 */
interface Degree {
  readonly degree: number;
  readonly block: number;
  readonly size: number;
}

const DEGREE_4: Degree = { degree: 4, block: 2, size: 0.07 };
const DEGREE_9: Degree = { degree: 9, block: 3, size: 0.77 };
const DEGREE_12: Degree = { degree: 12, block: 4, size: 1.44 };
const DEGREE_16: Degree = { degree: 16, block: 4, size: 2.5 };

/** The smallest norm that matrices are scaled to. */
const LEAST_NORM = 1e-9;

/** The maximum number of squarings of the result. */
const SQUARINGS = 9;

/** The norms above which one more squaring is needed. */
const THRESHOLDS = Array.from({ length: SQUARINGS }, (_, i) => DEGREE_16.size * 2 ** i);

/**
 * Computes the exponentials of matrices, `eᴬ = (e^(A·2⁻ˢ))^(2ˢ)`, to the accuracy of float32.
 *
 * The size of A decides about s. It is taken from powers of A that are computed anyway, as `max(‖A³‖^⅓, ‖A⁴‖^¼)`, which
 * is between the largest eigenvalue and about three times that. A matrix of a size above 1,280 is scaled down to 1,280.
 *
 * If the numbers can be read, small matrices get a polynomial of a lower degree, and the batch is squared only as often
 * as its largest matrix needs. Otherwise all nine squarings are computed, and a matrix that needs fewer is multiplied
 * by I.
 *
 * @remarks
 * **Shape**: A, eᴬ: [b, n, n].
 * **Gradient**: of any order.
 *
 * @see torch.linalg.matrix_exp. Al-Mohy and Higham 2009, doi:10.1137/09074721X, for the size
 */
export function matrixExp(A: Tensor, read: SyncReader = hostValues): Tensor {
  const n = A.shape[2]!;
  // The matrix is scaled to a norm of 1, so that no power overflows. Below the limit it is not scaled further: those
  // powers do not matter, and a smaller scale would cost digits of the gradients.
  const norm = stopGradient(() => tf.maximum(tf.max(tf.sum(tf.abs(A), 2, true), 1, true), LEAST_NORM));
  const unit = tf.div(A, norm);
  const identity = tf.broadcastTo(tf.eye(n), A.shape);
  const sizeBy = (root: Tensor) => stopGradient(() => tf.mul(norm, root));
  /** True if all matrices are known to have at most this size. */
  const isWithin = (size: Tensor, { size: limit }: Degree): boolean => {
    const sizes = read(size);
    return sizes !== null && Array.from(sizes).every((size) => size <= limit);
  };

  const square = matMul(unit, unit);
  const root2 = root(square, 2);
  if (isWithin(sizeBy(root2), DEGREE_4)) return polynomial([identity, unit], square, norm, DEGREE_4);
  const cube = matMul(square, unit);
  const root3 = root(cube, 3);
  if (isWithin(sizeBy(tf.maximum(root2, root3)), DEGREE_9)) {
    return polynomial([identity, unit, square], cube, norm, DEGREE_9);
  }
  const powers = [identity, unit, square, cube];
  const fourth = matMul(square, square);
  const size = sizeBy(tf.maximum(root3, root(fourth, 4)));
  if (isWithin(size, DEGREE_12)) return polynomial(powers, fourth, norm, DEGREE_12);

  const isSquared = stopGradient(() => tf.cast(tf.greater(size, tf.tensor1d(THRESHOLDS)), 'float32'));
  const scale = stopGradient(() => {
    const halvings = tf.prod(tf.sub(1, tf.mul(0.5, isSquared)), 2, true);
    const limit = DEGREE_16.size * 2 ** SQUARINGS;
    return tf.mul(tf.mul(norm, halvings), tf.div(limit, tf.maximum(size, limit)));
  });
  const X = polynomial(powers, fourth, scale, DEGREE_16);
  return squared(X, isSquared, read(size));
}

/** The k-th root of the Frobenius norm, as a constant. */
const root = (power: Tensor, k: number): Tensor =>
  stopGradient(() => tf.pow(tf.sum(tf.square(power), [1, 2], true), 1 / (2 * k)));

/** `1/k!` for k up to 16. */
const INVERSE_FACTORIALS = [1];
for (let k = 1; k <= 16; k++) INVERSE_FACTORIALS.push(INVERSE_FACTORIALS[k - 1]! / k);

/**
 * `Σ (sA)ᵏ/k!` up to a degree: a polynomial in `A^block` whose coefficients are polynomials in A.
 *
 * @param powers - the powers of A below `block`
 * @param step - A^block
 * @param scale - s, [b, 1, 1]
 */
function polynomial(
  powers: readonly Tensor[],
  step: Tensor,
  scale: Tensor,
  { degree, block }: Degree,
): Tensor {
  const scales = powers.map((_, i) => stopGradient(() => tf.pow(scale, i)));
  const scaledPowers = powers.map((power, i) => (i === 0 ? power : tf.mul(power, scales[i]!)));
  const scaledStep = tf.mul(
    step,
    stopGradient(() => tf.pow(scale, block)),
  );
  const coefficient = (j: number): Tensor =>
    scaledPowers
      .map((power, i) => tf.mul(power, INVERSE_FACTORIALS[block * j + i]!))
      .reduce((sum, term) => tf.add(sum, term));
  const last = degree / block - 1;
  let sum = tf.add(coefficient(last), tf.mul(scaledStep, INVERSE_FACTORIALS[degree]!));
  for (let j = last - 1; j >= 0; j--) sum = tf.add(matMul(sum, scaledStep), coefficient(j));
  return sum;
}

/**
 * Squares each matrix as often as it needs: the factor is X, or I after the last squaring.
 *
 * @param isSquared - 1 or 0 for every matrix and squaring, [b, 1, SQUARINGS]
 * @param sizes - the numbers that `isSquared` is computed from, if known
 */
function squared(X: Tensor, isSquared: Tensor, sizes: ArrayLike<number> | null): Tensor {
  const [b, n] = X.shape as [number, number, number];
  const identity = tf.eye(n);
  let power = X;
  for (const [i, threshold] of THRESHOLDS.entries()) {
    const known = sizes && Array.from(sizes, (size) => size > threshold);
    if (known?.every((isIt) => !isIt)) return power;
    if (known?.every((isIt) => isIt)) {
      power = matMul(power, power);
      continue;
    }
    const mask = tf.slice(isSquared, [0, 0, i], [b, 1, 1]);
    // tf.where would take as long on wasm to broadcast the condition as the product takes.
    const factor = tf.add(
      tf.mul(power, mask),
      stopGradient(() => tf.mul(identity, tf.sub(1, mask))),
    );
    power = matMul(power, factor);
  }
  return power;
}
