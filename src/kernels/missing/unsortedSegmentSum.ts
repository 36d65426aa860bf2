import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Sums the parts of x with the same number: `y[s] = Σ x[i]` over all i with `segmentIds[i] = s`. Parts with a number
 * below zero or from `numSegments` on are left out. It is the gradient of `gather`.
 *
 * @remarks
 * **Shape**: x: [k, …], segmentIds: [k], y: [numSegments, …].
 */
export function unsortedSegmentSum(
  { x, segmentIds }: { readonly x: Tensor; readonly segmentIds: Tensor1D },
  { numSegments }: { readonly numSegments: number },
): Tensor {
  const [count, ...rest] = x.shape;
  if (x.size === 0) return tf.zeros([numSegments, ...rest], x.dtype);
  const isOutside = tf.logicalOr(tf.less(segmentIds, 0), tf.greaterEqual(segmentIds, numSegments));
  // The segment behind the last takes what belongs to none.
  const ids = tf.where(isOutside, tf.fill(segmentIds.shape, numSegments, 'int32'), segmentIds);
  const rows = tf.reshape(x, [count!, -1]);
  const sums = tf.scatterND(tf.reshape(ids, [count!, 1]), rows, [numSegments + 1, rows.shape[1]!]);
  return tf.reshape(tf.slice(sums, [0, 0], [numSegments, -1]), [numSegments, ...rest]);
}
