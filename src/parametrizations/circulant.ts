import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { diagonalSums, fromDiagonals } from '../ops/matrix/fromDiagonals.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout } from './matrix/matrixLayout.ts';
import { matricesBy } from './set/matricesBy.ts';
import { largest } from './set/slices.ts';

/**
 * Makes square matrices whose columns are rotations of the first: `W[i, j] = c[(i − j) mod n]`. The product with W is a
 * circular convolution with c.
 *
 * @remarks
 * **Shape**: W: [..., n, n]. c: [..., n].
 * **State**: `original` = c. No buffers.
 * **Gradient**: the sums along the rotated diagonals; of second and higher order zero, because the map is linear.
 *
 * The right inverse takes the means along the rotated diagonals. So any matrix moves to the nearest matrix of the set.
 *
 * @throws {@link ParametrizeError} `SHAPE` for a tensor that is not a square matrix
 */
export class Circulant extends Parametrization {
  override forward(c: Tensor): Tensor {
    const n = c.shape.at(-1)!;
    return tf.reshape(matricesFrom(tf.reshape(c, [-1, n])), [...c.shape, n]);
  }

  override rightInverse(W: Tensor): Tensor {
    const { shape, columns: n, count } = squareLayout('circulant', W.shape);
    return tf.tidy(() => {
      const sums = diagonalSums(tf.reshape(W, [count, n, n]));
      // The diagonals p and p + n are parts of one rotated diagonal.
      const rest = tf.slice(sums, [0, n], [count, n - 1]);
      const padded = tf.pad(rest, [
        [0, 0],
        [0, 1],
      ]);
      const means = tf.div(tf.add(tf.slice(sums, [0, 0], [count, n]), padded), n);
      return tf.reshape(tf.reverse(means, 1), shape.slice(0, -1));
    });
  }

  override isPure(): boolean {
    return true;
  }
}

/** Returns the matrices of vectors, [b, n], as [b, n, n]. */
function matricesFrom(c: Tensor): Tensor {
  const [b, n] = c.shape as [number, number];
  const reversed = tf.reverse(c, 1);
  return fromDiagonals(tf.concat([reversed, tf.slice(reversed, [0, 0], [b, n - 1])], 1), n);
}

function squareLayout(caller: string, shape: readonly number[]): MatrixLayout {
  const layout = new MatrixLayout(caller, shape);
  if (layout.rows === layout.columns) return layout;
  throw refusal(
    'SHAPE',
    caller,
    `expected a square matrix or a batch of them, got shape ${formatShape(shape)}`,
    'Register it on a square weight, or use toeplitz.',
  );
}

/**
 * Makes the matrices of a weight circulant; see {@link Circulant}. A circulant matrix keeps its value; any other
 * becomes the means along its rotated diagonals.
 *
 * @throws {@link ParametrizeError} `SHAPE` for a tensor that is not a square matrix; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * circulant(new nn.Linear(64, 64));   // 64 parameters instead of 4,096
 * ```
 * @function
 */
export const circulant = defineParametrization<Circulant>({
  name: 'circulant',
  class: Circulant,
  hasFixedFields: true,
  copies: 24,
  options: {},
  shape: ([c]) => [...c!, c!.at(-1)!],
  make: ({ value }) => {
    squareLayout('circulant', value.shape);
    return new Circulant();
  },
  set: {
    contains: (value, _, tolerance) =>
      matricesBy(value)?.every(({ data, shape }) => {
        const [m, n] = shape as [number, number];
        const accepted = tolerance * largest(data);
        const above = (i: number): number => {
          const [row, column] = [Math.floor(i / n), i % n];
          return data[((row + n - 1) % n) * n + ((column + n - 1) % n)]!;
        };
        return m === n && data.every((element, i) => Math.abs(element - above(i)) <= accepted);
      }) ?? false,
    sample(shape) {
      const { columns: n, count } = squareLayout('circulant.sample', shape);
      const c = normalNumbers([count, n], n ** -0.5);
      return tf.reshape(matricesFrom(c), [...shape]);
    },
  },
});
