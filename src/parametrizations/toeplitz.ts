import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { diagonalSums, fromDiagonals } from '../ops/matrix/fromDiagonals.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout } from './matrix/matrixLayout.ts';
import { integer } from './options.ts';
import { matricesBy } from './set/matricesBy.ts';
import { largest } from './set/slices.ts';

/** Options of {@link toeplitz}. */
export interface ToeplitzOptions {
  /** The number of rows of the matrices. Default: that of the weight. */
  readonly rows?: number;
}

/**
 * Makes matrices with constant diagonals: `W[i, j] = d[j − i + m − 1]`.
 *
 * @remarks
 * **Shape**: W: [..., m, n]. d: [..., m + n − 1], from the lower left corner to the upper right one.
 * **State**: `original` = d. No buffers.
 * **Gradient**: the sums along the diagonals; of second and higher order zero, because the map is linear.
 *
 * The right inverse takes the means along the diagonals. So any matrix moves to the nearest matrix of the set.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option; `SHAPE` for a tensor that is not a matrix, or has
 * another number of rows
 */
export class Toeplitz extends Parametrization {
  /** The number of rows of the matrices. */
  readonly rows: number;

  constructor(options: ToeplitzOptions) {
    super();
    this.rows = this.checkedOptions(options).rows;
  }

  override forward(d: Tensor): Tensor {
    const length = d.shape.at(-1) ?? 0;
    if (length < this.rows) throw wrongShape(this.rows, d);
    const W = fromDiagonals(tf.reshape(d, [-1, length]), this.rows);
    return tf.reshape(W, [...d.shape.slice(0, -1), ...W.shape.slice(1)]);
  }

  override rightInverse(W: Tensor): Tensor {
    const { shape, rows, columns, count } = new MatrixLayout('toeplitz', W.shape);
    if (rows !== this.rows) throw wrongShape(this.rows, W);
    return tf.tidy(() => {
      const length = rows + columns - 1;
      const counts = Array.from({ length }, (_, i) => Math.min(rows, columns, i + 1, length - i));
      const means = tf.div(diagonalSums(tf.reshape(W, [count, rows, columns])), tf.tensor1d(counts));
      return tf.reshape(means, [...shape.slice(0, -2), length]);
    });
  }

  override isPure(): boolean {
    return true;
  }
}

const wrongShape = (rows: number, x: Tensor): Error =>
  refusal(
    'SHAPE',
    'toeplitz',
    `expected matrices of ${rows} rows, got a tensor of shape ${formatShape(x.shape)}`,
    'Leave the option rows out.',
  );

/**
 * Makes the diagonals of the matrices of a weight constant; see {@link Toeplitz}. A Toeplitz matrix keeps its value;
 * any other becomes the means along its diagonals.
 *
 * @throws {@link ParametrizeError} `SHAPE` for a tensor that is not a matrix; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * toeplitz(layer);   // out + in − 1 parameters instead of out · in
 * ```
 * @function
 */
export const toeplitz = defineParametrization<Toeplitz, ToeplitzOptions>({
  name: 'toeplitz',
  class: Toeplitz,
  hasFixedFields: true,
  copies: 24,
  options: { rows: { isQuiet: true, ...integer(1) } },
  shape: ([d], { rows }) => [...d!.slice(0, -1), rows!, d!.at(-1)! - rows! + 1],
  make: ({ value }, options) =>
    new Toeplitz({ rows: new MatrixLayout('toeplitz', value.shape).rows, ...options }),
  set: {
    contains: (value, { rows }, tolerance) =>
      matricesBy(value)?.every(({ data, shape }) => {
        const [m, n] = shape as [number, number];
        const accepted = tolerance * largest(data);
        const isConstant = (element: number, i: number): boolean =>
          i < n || i % n === 0 || Math.abs(element - data[i - n - 1]!) <= accepted;
        return (rows === undefined || rows === m) && data.every(isConstant);
      }) ?? false,
    sample(shape) {
      const { rows, columns, count } = new MatrixLayout('toeplitz.sample', shape);
      const d = normalNumbers([count, rows + columns - 1], columns ** -0.5);
      return tf.reshape(fromDiagonals(d, rows), [...shape]);
    },
  },
});
