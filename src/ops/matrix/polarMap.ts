import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { GramSpectrum } from '../float64/gramSpectrum.ts';
import { LARGEST_FLOAT32, scaleAlong } from '../norm/norm.ts';
import { repeat } from '../repeat.ts';
import { plainMatMul } from './matMul.ts';
import { closerBound, sizeOf } from './newtonSchulz.ts';
import { polar } from './polar.ts';
import { transpose } from './transpose.ts';

/** The largest number of steps of the derivatives. */
const STEPS = 40;

/** The number of steps after those that bring X near an orthogonal matrix, and what counts as near. */
const [LAST_STEPS, NEAR] = [3, 1e-3];

/**
 * Computes the nearest matrix with orthonormal columns, as `polar`, with its gradient.
 *
 * Note [Derivatives of the polar factor]: Q(X) is the gradient of a function, the sum of the singular values of X. So
 * its derivatives do not depend on the order of their directions, and the gradient of the derivative along v₁, …, vₘ
 * with respect to X, for dy, is the derivative along v₁, …, vₘ, dy; with respect to vᵢ, it is the derivative with dy in
 * the place of vᵢ. They are computed by carrying directions through plain Newton–Schulz steps. The faster steps of
 * `polar` lose digits of the derivatives. If the numbers can be read, the steps end when X is orthogonal.
 *
 * @remarks
 * **Shape**: X, Q: [b, n, k], n ≥ k.
 * **Gradient**: of any order, also where singular values are equal. Its accuracy is 4e-6 up to a condition number of
 * 1e2, 1e-5 at 1e3, 1e-4 at 1e4. The derivative grows as the inverse of the sum of the two smallest singular values, or
 * of the smallest one if n > k. At singular values of zero it does not exist, and the result is a large number.
 * **Cost**: as `polar`; the gradient 200 products, the gradient of the gradient 560; at an orthogonal matrix a
 * tenth of that, if the numbers can be read; a few matrices of the size of X at once.
 *
 * @see Björck and Bowie 1971, doi:10.1137/0708036
 */
export const polarMap = (X: Tensor, read: SyncReader = hostValues): Tensor => derivative(read, X, []);

/** The derivative of Q at X along some directions, or Q if there are none. */
function derivative(read: SyncReader, X: Tensor, directions: readonly Tensor[]): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const [X, ...directions] = inputs.slice(0, -1) as [Tensor, ...Tensor[]];
    const save = inputs.at(-1) as unknown as tf.GradSaveFunc;
    const result = directions.length === 0 ? polar(X, read) : carried(X, directions, read);
    save([X, ...directions]);
    return {
      value: result,
      gradFunc: (dy, saved) => {
        const [X, ...directions] = saved as Tensor[] as [Tensor, ...Tensor[]];
        const along = (others: readonly Tensor[]): Tensor => derivative(read, X, [...others, dy as Tensor]);
        const without = (index: number): Tensor[] => directions.filter((_, i) => i !== index);
        return [along(directions), ...directions.map((_, i) => along(without(i)))];
      },
    };
  });
  return operation(X, ...directions);
}

/**
 * Carries X and all products of its directions through the steps `X ← X(3I − XᵀX)/2`.
 *
 * The state has one matrix for each subset of the directions, numbered by its bits: the derivative along the directions
 * in it. A product has the sum over both parts of a subset: `(XᵀX)_S = Σ Xᵀ_R·X_{S∖R}`.
 */
const carried = (X: Tensor, directions: readonly Tensor[], read: SyncReader): Tensor =>
  tf.tidy(() => {
    const { scale, bound } = sizeOf(X);
    const closer = closerBound(tf.div(tf.div(X, scale), bound));
    const unit = (x: Tensor): Tensor => tf.div(tf.div(tf.div(x, scale), bound), closer);
    const zero = tf.zerosLike(X);
    const start = Array.from({ length: 2 ** directions.length }, () => zero);
    start[0] = unit(X);
    // The derivative is linear in each direction. The sizes come in at the end. They are finite, so a zero stays zero.
    const sizes = directions.map((direction) => scaleAlong(direction, [1, 2]));
    for (const [i, direction] of directions.entries()) start[2 ** i] = tf.div(direction, sizes[i]!);
    const spectrum = new GramSpectrum(X.shape[0]!, X.shape[2]!);
    let left = STEPS;
    const step = (...state: Tensor[]): Tensor[] => {
      const grams = state.map((_, subset) => gramOf(state, subset));
      const numbers = read(grams[0]!);
      const isNear = numbers !== null && spectrum.estimate(numbers).distance < NEAR;
      left = isNear ? Math.min(left - 1, LAST_STEPS) : left - 1;
      return state.map((matrix, subset) => {
        const products = partsOf(subset).map((part) => plainMatMul(state[part]!, grams[subset ^ part]!));
        return tf.sub(tf.mul(matrix, 1.5), tf.mul(sum(products), 0.5));
      });
    };
    const derivative = repeat(STEPS, start, step, () => left === 0).at(-1)!;
    return sizes
      .map((size) => tf.minimum(unit(size), LARGEST_FLOAT32))
      .reduce((product, factor) => tf.mul(product, factor), derivative);
  });

/** `(XᵀX)_S`. The product of two parts in the other order is the transpose. */
function gramOf(state: readonly Tensor[], subset: number): Tensor {
  if (subset === 0) return plainMatMul(state[0]!, state[0]!, true);
  const products = partsOf(subset)
    .filter((part) => part < (subset ^ part))
    .map((part) => plainMatMul(state[part]!, state[subset ^ part]!, true));
  const half = sum(products);
  return tf.add(half, transpose(half));
}

/** The subsets of a set. */
const partsOf = (set: number): number[] =>
  Array.from({ length: set + 1 }, (_, part) => part).filter((part) => (part & set) === part);

const sum = (tensors: Tensor[]): Tensor => tensors.reduce((a, b) => tf.add(a, b));
