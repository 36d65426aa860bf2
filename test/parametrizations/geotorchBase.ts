import * as tf from '@tensorflow/tfjs';
import { polar } from '../../src/ops/matrix/polar.ts';
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import type { GoldenCase } from './entryGolden.ts';

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
export function orthogonalOf(given: GoldenTensor): tf.Tensor {
  const whole = tensorOf(given);
  return tf.reshape(polar(tf.reshape(whole, [-1, ...whole.shape.slice(-2)])), whole.shape);
}

/**
 * Returns an original with the coordinates of the columns of a square base in those of the rows, which maps with a thin
 * base have.
 */
export const inRows = (base: tf.Tensor, X: tf.Tensor): tf.Tensor =>
  tf.matMul(base as tf.Tensor2D, X as tf.Tensor2D);
