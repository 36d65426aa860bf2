import * as tf from '@tensorflow/tfjs';
import { polar } from '../../src/ops/matrix/polar.ts';
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import type { EntryGolden, GoldenCase } from './entryGolden.ts';

/** Sets the bases of a map to those of a case: as they are, or the polar factor of GeoTorch's, which GeoTorch takes. */
export function prepareBase(map: object, { base, bases }: GoldenCase): void {
  const { base: variable, ...parts } = map as { readonly base?: tf.Variable } & Record<
    'left' | 'right',
    { readonly base: tf.Variable }
  >;
  if (base !== undefined) assignBase(variable!, tensorOf(base));
  if (bases?.['U'] !== undefined) {
    assignBase(parts.left.base, tensorOf(bases['U']));
    assignBase(parts.right.base, tensorOf(bases['V']!));
  }
  if (bases?.[''] !== undefined) assignBase(variable!, orthogonalOf(bases['']));
}

/** A thin base has the first columns only. */
function assignBase(base: tf.Variable, given: tf.Tensor): void {
  base.assign(
    tf.slice(
      given,
      base.shape.map(() => 0),
      base.shape,
    ),
  );
}

/** Returns the polar factor of a base of GeoTorch. */
function orthogonalOf(given: GoldenTensor): tf.Tensor {
  const whole = tensorOf(given);
  return tf.reshape(polar(tf.reshape(whole, [-1, ...whole.shape.slice(-2)])), whole.shape);
}

/**
 * Returns an original with the coordinates of the columns of a square base in those of the rows, which maps with a thin
 * base have.
 */
const inRows = (base: tf.Tensor, X: tf.Tensor): tf.Tensor => tf.matMul(base as tf.Tensor2D, X as tf.Tensor2D);

/** The square base of a case, or the identity: [..., n, n] for the longer side n. */
function squareBase({ bases, originals }: GoldenCase): tf.Tensor {
  if (bases?.[''] !== undefined) return orthogonalOf(bases['']);
  const { shape } = originals[0]!;
  const long = Math.max(...shape.slice(-2));
  return tf.broadcastTo(tf.eye(long), [...shape.slice(0, -2), long, long]);
}

/** Applies a function to the matrices, or to their transposes if they are wide. */
function asTall(x: tf.Tensor, of: (tall: tf.Tensor) => tf.Tensor): tf.Tensor {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const swapped = [...x.shape.keys()].slice(0, -2).concat([x.rank - 1, x.rank - 2]);
  return rows < columns ? tf.transpose(of(tf.transpose(x, swapped)), swapped) : of(x);
}

/** The originals of maps with thin bases for those of a case, by the names of the entries; see `EntryGolden`. */
export const thinOriginals: Readonly<Record<string, NonNullable<EntryGolden['toOriginal']>>> = {
  // The first rows of GeoTorch's original do not count.
  grassmannian: (given, one) =>
    asTall(given, (tall) => {
      const [rows, short] = tall.shape.slice(-2) as [number, number];
      const counts = tf.cast(tf.greaterEqual(tf.range(0, rows), short), 'float32');
      return inRows(squareBase(one), tf.mul(tall, tf.reshape(counts, [-1, 1])));
    }),
  // A base of a side above twice the rank is thin.
  fixedRank(given, { bases, options: { rank } }, index) {
    if (index === 1 || given.shape.at(-2)! <= 2 * (rank as number)) return given;
    return inRows(tensorOf(bases![index === 0 ? 'U' : 'V']!), given);
  },
};
