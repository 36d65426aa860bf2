import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../../core/axes.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { nextSeed } from '../../nn/init/random.ts';
import { swapLastAxis } from '../../ops/onLastAxis.ts';
import type { TargetTensor } from '../../parametrize/definition.ts';
import { checkCount, keptCount } from './amount.ts';
import { groupAxis } from './groupAxis.ts';
import type { PruneOptions } from './pruneOptions.ts';
import { sliceNorms } from './sliceNorms.ts';
import { withoutLowest } from './withoutLowest.ts';

/** Returns 1 for each element of a mask that is not zero, else 0. */
export const livingOf = (mask: Tensor): Tensor => tf.cast(tf.notEqual(mask, 0), 'float32');

/**
 * Returns a mask that hides further elements of a tensor. It runs in a tidy. No number is read.
 *
 * @param before - the mask that the tensor has, or null
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE`, `DISPOSED`
 */
export function nextMask(
  caller: string,
  target: TargetTensor,
  before: Tensor | null,
  options: PruneOptions,
): Tensor {
  const { shape } = target.value;
  const { mask, scores, regrow = false } = options;
  if (scores !== undefined) checkGiven(caller, 'scores', scores, shape);
  if (mask !== undefined) checkGiven(caller, 'mask', mask, shape);
  const living = before === null || regrow ? null : livingOf(before);
  const chosen = chosenMask(caller, target, living, options);
  return living === null ? chosen : tf.mul(chosen, living);
}

/** Returns a mask that is to be multiplied by that of the living elements. */
function chosenMask(
  caller: string,
  target: TargetTensor,
  living: Tensor | null,
  options: PruneOptions,
): Tensor {
  const { value } = target;
  const { mask, dim, nOfM, fraction, count, sparsity } = options;
  if (mask !== undefined) return livingOf(mask);
  if (nOfM !== undefined) return groupMask(caller, target, living, options);
  const isAll = fraction === undefined && count === undefined && sparsity === undefined;
  if (isAll || value.size === 0) return tf.onesLike(value);
  if (dim !== undefined) return sliceMask(caller, value, living, options);
  checkCount(caller, options, value.size, 'elements');
  const scores = scoresOf(value, options);
  const flat = living && tf.reshape(living, [-1]);
  const found = withoutLowest(tf.reshape(scores, [-1]), flat, keptCount(options, value.size, flat));
  return tf.reshape(found, value.shape);
}

/** Returns the score of each element. Scores count by their absolute values, as in torch. */
const scoresOf = (value: Tensor, { method, scores }: PruneOptions): Tensor =>
  method === 'random' ? uniform(value.shape) : tf.abs(scores ?? value);

/** Draws a random score for each element. It follows `nn.manualSeed`. */
export const uniform = (shape: number[]): Tensor => tf.randomUniform(shape, 0, 1, 'float32', nextSeed());

/** Returns a mask of whole slices along an axis. */
function sliceMask(
  caller: string,
  value: Tensor,
  living: Tensor | null,
  { dim, norm = 2, method, scores, ...amount }: PruneOptions,
): Tensor {
  const { shape, rank } = value;
  if (rank < 2) {
    throw refusal(
      'SHAPE',
      caller,
      `dim is ${dim}, but the tensor has shape ${formatShape(shape)}: slices need two axes or more`,
      'Leave dim out, which hides single elements.',
    );
  }
  const axis = axisOf(caller, dim!, shape);
  const size = shape[axis]!;
  checkCount(caller, amount, size, `slices along axis ${axis}`);
  const others = shape.map((_, i) => i).filter((i) => i !== axis);
  // A slice lives while one of its elements does.
  const slices = living && tf.max(living, others);
  const visible = living === null ? value : tf.mul(value, living);
  const found = withoutLowest(
    method === 'random' ? uniform([size]) : sliceNorms(scores ?? visible, axis, norm),
    slices,
    keptCount(amount, size, slices),
  );
  const along = shape.map((length, i) => (i === axis ? length : 1));
  return tf.mul(tf.onesLike(value), tf.reshape(found, along));
}

/** Returns a mask with at most n ones in each group of m neighbors along an axis. */
function groupMask(
  caller: string,
  target: TargetTensor,
  living: Tensor | null,
  options: PruneOptions,
): Tensor {
  const { value } = target;
  const { shape } = value;
  const [n, m] = options.nOfM!;
  const axis = options.dim === undefined ? groupAxis(caller, target) : axisOf(caller, options.dim, shape);
  const size = shape[axis]!;
  if (size % m !== 0) {
    throw refusal(
      'SHAPE',
      caller,
      `axis ${axis} of shape ${formatShape(shape)} has ${size} elements, which are not groups of ${m}`,
      'Pass another nOfM, or with dim another axis.',
    );
  }
  const scores = swapLastAxis(scoresOf(value, options), axis);
  const grouped = (x: Tensor): Tensor => tf.reshape(x, [-1, m]);
  const livingGroups = living && grouped(swapLastAxis(living, axis));
  return swapLastAxis(tf.reshape(withoutLowest(grouped(scores), livingGroups, n), scores.shape), axis);
}

function axisOf(caller: string, dim: number, shape: readonly number[]): number {
  const axis = axisIn(dim, shape.length);
  if (axis !== undefined) return axis;
  throw refusal(
    'OPTION',
    caller,
    `dim ${dim} is out of range for shape ${formatShape(shape)}`,
    shape.length === 0 ? undefined : `Pass an axis from ${-shape.length} to ${shape.length - 1}.`,
  );
}

function checkGiven(caller: string, name: string, given: Tensor, shape: readonly number[]): void {
  if (given.isDisposed) {
    throw refusal('DISPOSED', caller, `the tensor of ${name} has been disposed`, 'Pass a live tensor.');
  }
  if (tf.util.arraysEqual(given.shape, [...shape])) return;
  throw refusal(
    'SHAPE',
    caller,
    `${name} has shape ${formatShape(given.shape)}, the tensor has shape ${formatShape(shape)}`,
  );
}
