import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A scale is at least this number, as in the observers of torch. */
export const LEAST_SCALE = 2 ** -23;

/** The integers that stand for numbers: value = (integer − zero point) · scale. */
export interface IntegerGrid {
  /** The numbers that a step of one stands for. Smaller scales than {@link LEAST_SCALE} count as that. */
  readonly scale: Tensor;
  /** The integers that stand for zero; their scale broadcasts to the shape of the numbers. */
  readonly zeroPoint: Tensor;
  /** The smallest and the largest integer. */
  readonly range: readonly [min: number, max: number];
}

/**
 * Returns the integers of numbers before they are limited to the range: `zeroPoint + round(x · (1 / scale))`, halves to
 * the even integer. NaN stays NaN.
 */
const unlimited = (x: Tensor, scale: Tensor, zeroPoint: Tensor): Tensor =>
  // torch multiplies by the reciprocal in float32. A quotient differs at half steps.
  tf.add(tf.round(tf.mul(x, tf.div(1, scale))), zeroPoint);

const atLeast = (scale: Tensor): Tensor => tf.maximum(scale, LEAST_SCALE);

/** Returns 1 for each number whose integer is in the range, else 0; for NaN, 0. */
const isInside = (q: Tensor, min: number, max: number): Tensor =>
  tf.cast(tf.logicalAnd(tf.greaterEqual(q, min), tf.lessEqual(q, max)), 'float32');

/** Returns numbers where `q` is not NaN, because not every backend keeps NaN in a limit. */
const keepNaN = (q: Tensor, numbers: Tensor): Tensor => tf.where(tf.isNaN(q), q, numbers);

/**
 * Rounds numbers to those that integers stand for: `y = (clamp(q) − z) · s` with `q = z + round(x · (1 / s))`.
 *
 * The gradient to x passes straight through where q is in the range, and is zero elsewhere, as in torch. It is linear
 * in that of y, so it has gradients of any order in that. Scale and zero point are constants.
 *
 * NaN stays NaN (torch: the smallest number). Infinity becomes the number of the range at its end.
 *
 * @see torch.fake_quantize_per_tensor_affine, torch.fake_quantize_per_channel_affine
 */
export function fakeQuantizeOp(x: Tensor, { scale, zeroPoint, range }: IntegerGrid): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const [x, save] = inputs as [Tensor, tf.GradSaveFunc];
    const s = atLeast(scale);
    const q = unlimited(x, s, zeroPoint);
    save([isInside(q, ...range)]);
    return {
      value: keepNaN(q, tf.mul(tf.sub(tf.clipByValue(q, ...range), zeroPoint), s)),
      gradFunc: (dy, saved) => tf.mul(dy, (saved as Tensor[])[0]!),
    };
  });
  return operation(x);
}

/**
 * {@link fakeQuantizeOp} with gradients to the scale and to the zero point, which is rounded and limited to the range
 * first.
 *
 * The gradient to the scale is `g · Σ ∂L/∂y · (y − x) / s` over the numbers in the range, and `g · Σ ∂L/∂y · (end − z)`
 * over those beyond an end of it. That to the zero point is `−g · Σ ∂L/∂y · s` over those beyond. A scale below
 * {@link LEAST_SCALE} has the gradients of that one.
 *
 * @param factor - g, which makes the gradient of a scale as large as those of numbers
 * @see Esser et al. 2020, arXiv:1902.08153. torch._fake_quantize_learnable_per_tensor_affine
 */
export function learnedFakeQuantizeOp(
  x: Tensor,
  { scale, zeroPoint, range }: IntegerGrid,
  factor: number,
): Tensor {
  const axes = scale.shape.map((_, axis) => axis).filter((axis) => scale.shape[axis] === 1);
  const operation = tf.customGrad((...inputs) => {
    const [x, scale, zeroPoint, save] = inputs as [Tensor, Tensor, Tensor, tf.GradSaveFunc];
    const s = atLeast(scale);
    const z = tf.clipByValue(tf.round(zeroPoint), ...range);
    const q = unlimited(x, s, z);
    const inside = isInside(q, ...range);
    const steps = tf.sub(tf.clipByValue(q, ...range), z);
    const value = keepNaN(q, tf.mul(steps, s));
    const ofScale = tf.where(tf.cast(inside, 'bool'), tf.div(tf.sub(value, x), s), steps);
    save([inside, ofScale, s]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [inside, ofScale, s] = saved as [Tensor, Tensor, Tensor];
        const total = (x: Tensor): Tensor => tf.mul(tf.sum(x, axes, true), factor);
        const beyond = tf.mul(dy, tf.sub(inside, 1));
        return [tf.mul(dy, inside), total(tf.mul(dy, ofScale)), total(tf.mul(beyond, s))];
      },
    };
  });
  return operation(x, scale, zeroPoint);
}
