import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';

/** The masks of one call of attention. */
export interface AttentionMasks {
  readonly attnMask?: Tensor | null;
  readonly keyPaddingMask?: Tensor | null;
  readonly isCausal?: boolean;
}

/** The sizes of one call of attention. */
export interface AttentionSizes {
  readonly batch: number;
  readonly heads: number;
  /** The number of queries. */
  readonly targets: number;
  /** The number of keys, without added keys. */
  readonly sources: number;
  /** True if the caller's tensors have a batch axis. */
  readonly isBatch: boolean;
}

/** A substitute for −∞, whose differences and products with 0 are NaN. */
const FORBIDDEN = -1e30;

/** The limit for sums. A lower sum contains a forbidden summand. */
const HALF = FORBIDDEN / 2;

/**
 * Returns the sum of the masks, broadcast to `[batch, heads, targets, sources]`, or null if there are no masks.
 *
 * @throws {@link ParametrizeError} `SHAPE` or `DTYPE` if a mask does not fit
 */
export function maskSum(caller: string, masks: AttentionMasks, sizes: AttentionSizes): Tensor | null {
  const { batch, heads, targets, sources, isBatch } = sizes;
  const { attnMask, keyPaddingMask, isCausal = false } = masks;
  const terms: Tensor[] = [];
  if (attnMask != null) {
    const shapes = [
      [targets, sources],
      [batch * heads, targets, sources],
    ];
    checkMask(caller, 'attnMask', attnMask, shapes);
    const { shape, rank } = attnMask;
    terms.push(
      tf.reshape(added(attnMask), rank === 2 ? [1, 1, ...shape] : [batch, heads, ...shape.slice(1)]),
    );
  }
  if (keyPaddingMask != null) {
    checkMask(caller, 'keyPaddingMask', keyPaddingMask, [isBatch ? [batch, sources] : [sources]]);
    terms.push(tf.reshape(added(keyPaddingMask), [batch, 1, 1, sources]));
  }
  if (isCausal) {
    const [rows, columns] = [tf.range(0, targets), tf.range(0, sources)];
    const later = tf.greater(tf.reshape(columns, [1, sources]), tf.reshape(rows, [targets, 1]));
    terms.push(tf.reshape(added(later), [1, 1, targets, sources]));
  }
  return terms.length === 0 ? null : terms.reduce((sum, term) => tf.add(sum, term));
}

/** Returns 1 where attention is allowed, else 0. */
export const allowed = (sum: Tensor): Tensor => tf.step(tf.sub(sum, HALF));

/** Returns a mask as numbers to add. */
const added = (mask: Tensor): Tensor =>
  mask.dtype === 'bool'
    ? tf.mul(tf.cast(mask, 'float32'), FORBIDDEN)
    : tf.maximum(mask, tf.scalar(FORBIDDEN));

function checkMask(caller: string, name: string, mask: Tensor, shapes: readonly (readonly number[])[]): void {
  if (!(mask instanceof tf.Tensor)) {
    throw refusal(
      'OPTION',
      caller,
      `${name} is ${typeName(mask)}, it must be a tensor`,
      'Pass a bool tensor that is true where attention is not allowed, or a float32 tensor that is added.',
    );
  }
  if (mask.dtype !== 'bool' && mask.dtype !== 'float32') {
    throw refusal(
      'DTYPE',
      caller,
      `${name} has dtype ${mask.dtype}, it must be bool (true: not allowed) or float32 (added to the scores)`,
      `Pass tf.cast(${name}, 'bool').`,
    );
  }
  if (shapes.some((shape) => tf.util.arraysEqual(mask.shape, [...shape]))) return;
  throw refusal(
    'SHAPE',
    caller,
    `${name} has shape ${formatShape(mask.shape)}, it must be ${shapes.map(formatShape).join(' or ')}`,
    'Make it for the lengths of query and key.',
  );
}
