import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { matMul } from '../ops/matrix/matMul.ts';
import { transpose } from '../ops/matrix/transpose.ts';
import { scaleAlong } from '../ops/norm/norm.ts';
import { repeat } from '../ops/repeat.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout } from './matrix/matrixLayout.ts';
import { scaledTo } from './norms/scaledTo.ts';
import { matricesBy } from './set/matricesBy.ts';
import { largest } from './set/slices.ts';

/** The shapes of the two factors of a Kronecker product. */
export type KroneckerShapes = readonly [readonly [number, number], readonly [number, number]];

/** Options of {@link kronecker}. */
export interface KroneckerOptions {
  /** The shapes [m, a] of A and [b, n] of B, for weights of shape [m · b, a · n]. Required. */
  readonly shapes?: KroneckerShapes;
}

/** The number of power iterations for the nearest product. */
const ITERATIONS = 12;

/**
 * Makes matrices that are Kronecker products: `W = A ⊗ B`, the blocks `A[i, j] · B`.
 *
 * @remarks
 * **Shape**: A: [..., m, a]; B: [..., b, n]; W: [..., m · b, a · n].
 * **State**: `original0` = A (alias `A`), `original1` = B (alias `B`), both trainable. No buffers.
 * **Gradient**: of any order. A factor that is multiplied by a number and the other by its inverse give the same W.
 *
 * The right inverse finds the nearest product: the matrix whose rows are the blocks has the rank 1 for a product, and
 * 12 power iterations, from random numbers that follow `nn.manualSeed`, find its best approximation of rank 1. A and B
 * get the same norm. For a matrix of zeros, A is random and B is zero, so that it trains.
 *
 * @throws {@link ParametrizeError} `OPTION` for missing or invalid `shapes`; `SHAPE` for a tensor of another shape
 * @see Van Loan and Pitsianis 1993, Approximation with Kronecker products
 */
export class Kronecker extends Parametrization {
  /** The shapes of the factors. */
  readonly shapes: KroneckerShapes;

  constructor(options: KroneckerOptions) {
    super();
    this.shapes = shapesIn('kronecker', this.checkedOptions(options).shapes);
  }

  override forward(A: Tensor, B: Tensor): Tensor {
    return product(A, B);
  }

  /** Returns the factors of the nearest product. */
  override rightInverse(W: Tensor): [Tensor, Tensor] {
    const { shapes } = this;
    const { shape, count } = checkedLayout('kronecker', shapes, W.shape);
    const [[m, a], [b, n]] = shapes;
    const batch = shape.slice(0, -2);
    return tf.tidy(() => {
      const scale = scaleAlong(W, [W.rank - 2, W.rank - 1]);
      const blocks = tf.reshape(tf.div(W, scale), [count, m, b, a, n]);
      const M = tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4]), [count, m * a, b * n]);
      const [u, v] = rankOne(M);
      const sigma = tf.sqrt(tf.sum(tf.square(u), 1, true));
      const isZero = tf.equal(sigma, 0);
      const length = tf.mul(tf.sqrt(sigma), tf.sqrt(tf.reshape(scale, [count, 1, 1])));
      const unit = scaledTo(1, tf.where(isZero, normalNumbers(u.shape), u), [1]);
      const A = tf.mul(unit, tf.where(isZero, 1, length));
      const B = tf.mul(v, tf.where(isZero, 0, length));
      return [tf.reshape(A, [...batch, m, a]), tf.reshape(B, [...batch, b, n])];
    }) as [Tensor, Tensor];
  }

  override isPure(): boolean {
    return true;
  }
}

/** Returns u and v of the best approximation u·vᵀ of matrices, where v has the norm 1, or u is zero. */
function rankOne(M: Tensor): [u: Tensor, v: Tensor] {
  const [count, , columns] = M.shape as [number, number, number];
  const back = transpose(M);
  const start = scaledTo(1, normalNumbers([count, columns, 1]), [1]);
  const [v] = repeat(ITERATIONS, [start] as const, (last) => [
    scaledTo(1, matMul(back, matMul(M, last)), [1]),
  ]);
  return [matMul(M, v), v];
}

/** Returns `A ⊗ B` of matrices, or of batches of them. */
function product(A: Tensor, B: Tensor): Tensor {
  const batch = A.shape.slice(0, -2);
  const [[m, a], [b, n]] = [A.shape.slice(-2), B.shape.slice(-2)] as [[number, number], [number, number]];
  const blocks = tf.mul(tf.reshape(A, [-1, m, 1, a, 1]), tf.reshape(B, [-1, 1, b, 1, n]));
  return tf.reshape(blocks, [...batch, m * b, a * n]);
}

/** @throws {@link ParametrizeError} `OPTION` if the shapes are missing */
function shapesIn(caller: string, shapes: KroneckerShapes | undefined): KroneckerShapes {
  if (shapes !== undefined) return shapes;
  throw refusal(
    'OPTION',
    caller,
    'shapes is missing',
    'Pass { shapes: [[m, a], [b, n]] } for a weight [m · b, a · n].',
  );
}

/** @throws {@link ParametrizeError} `SHAPE` if the product of the factors has another shape */
function checkedLayout(
  caller: string,
  [[m, a], [b, n]]: KroneckerShapes,
  shape: readonly number[],
): MatrixLayout {
  const layout = new MatrixLayout(caller, shape);
  if (layout.rows === m * b && layout.columns === a * n) return layout;
  throw refusal(
    'SHAPE',
    caller,
    `factors of shape ${formatShape([m, a])} and ${formatShape([b, n])} make matrices of shape ${formatShape([m * b, a * n])}, but the tensor has shape ${formatShape(shape)}`,
    'Pass shapes whose products are the rows and columns of the weight.',
  );
}

/**
 * Makes the matrices of a weight Kronecker products; see {@link Kronecker}. A product keeps its value; any other matrix
 * moves to the nearest product.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE`; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * kronecker(new nn.Linear(64, 64), { shapes: [[8, 8], [8, 8]] });   // 128 parameters instead of 4,096
 * ```
 * @function
 */
export const kronecker = defineParametrization<Kronecker, KroneckerOptions>({
  name: 'kronecker',
  class: Kronecker,
  hasFixedFields: true,
  copies: 16,
  options: {
    shapes: {
      expected: 'two shapes of matrices: [[m, a], [b, n]]',
      accepts: (shapes) =>
        Array.isArray(shapes) &&
        shapes.length === 2 &&
        shapes.every(
          (shape) =>
            Array.isArray(shape) &&
            shape.length === 2 &&
            shape.every((size) => Number.isSafeInteger(size) && size > 0),
        ),
    },
  },
  originals: { A: {}, B: {} },
  shape: ([A, B]) => [...A!.slice(0, -2), A!.at(-2)! * B!.at(-2)!, A!.at(-1)! * B!.at(-1)!],
  make({ value }, options) {
    const map = new Kronecker(options);
    checkedLayout('kronecker', map.shapes, value.shape);
    return map;
  },
  set: {
    contains(value, { shapes }, tolerance) {
      const [[m, a], [b, n]] = shapesIn('kronecker.contains', shapes);
      return (
        matricesBy(value)?.every(({ data, shape }) => {
          if (shape[0] !== m * b || shape[1] !== a * n) return false;
          const size = largest(data);
          const at = (i: number, k: number, j: number, l: number): number =>
            data[(i * b + k) * a * n + j * n + l]!;
          const pivot = data.findIndex((element) => Math.abs(element) === size);
          const [row, column] = [Math.floor(pivot / (a * n)), pivot % (a * n)];
          const [pi, pk, pj, pl] = [Math.floor(row / b), row % b, Math.floor(column / n), column % n];
          return data.every((element, index) => {
            const [r, c] = [Math.floor(index / (a * n)), index % (a * n)];
            const [i, k, j, l] = [Math.floor(r / b), r % b, Math.floor(c / n), c % n];
            if (size === 0) return true;
            const wanted = at(i, pk, j, pl) * (at(pi, k, pj, l) / data[pivot]!);
            return Math.abs(element - wanted) <= tolerance * size;
          });
        }) ?? false
      );
    },
    sample(shape, { shapes }) {
      const factors = shapesIn('kronecker.sample', shapes);
      checkedLayout('kronecker.sample', factors, shape);
      const fanIn = factors[0][1] * factors[1][1];
      const [A, B] = factors.map((factor) =>
        normalNumbers([...shape.slice(0, -2), ...factor], fanIn ** -0.25),
      ) as [Tensor, Tensor];
      return product(A, B);
    },
  },
});
