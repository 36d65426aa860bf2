import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';

/** A tensor that is to be normalized over some axes. */
export interface Problem {
  readonly shape: number[];
  /** The axes that a norm runs over. */
  readonly axes: number[];
  /** What the values are made of. */
  readonly seed: number;
  readonly eps: number;
}

/** Sizes on both sides of what the kernels treat differently: 4 and 32 numbers at a time, and slices of 256. */
const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 2, arbitrary: fc.integer({ min: 10, max: 70 }) },
  { weight: 1, arbitrary: fc.constantFrom(255, 256, 300) },
);

/** Problems of up to four axes, any of which may be kept, and of up to 40,000 numbers. */
export const problems: fc.Arbitrary<Problem> = fc
  .array(fc.record({ size: sizes, isKept: fc.boolean() }), { maxLength: 4 })
  .filter((axes) => axes.reduce((product, { size }) => product * size, 1) <= 40_000)
  .chain((axes) =>
    fc.record({
      shape: fc.constant(axes.map(({ size }) => size)),
      axes: fc.constant([...axes.keys()].filter((axis) => !axes[axis]!.isKept)),
      seed: fc.integer({ min: 1, max: 1e6 }),
      eps: fc.constantFrom(0, 0, 1e-12, 0.5, 3),
    }),
  );

/** The tensors of a problem, and more that are needed for gradients; the same for the same seed. */
export interface Tensors {
  readonly g: tf.Tensor;
  readonly v: tf.Tensor;
  /** Upstream gradients: of W, and of the gradients of g and v. */
  readonly dW: tf.Tensor;
  readonly ddg: tf.Tensor;
  readonly ddv: tf.Tensor;
}

export function tensorsOf({ shape, axes, seed }: Problem): Tensors {
  const gShape = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const normal = (s: number[], offset: number) => tf.randomNormal(s, 0, 1, 'float32', seed + offset);
  const direction = normal(shape, 1);
  return {
    g: normal(gShape, 0),
    // No number is close to 0: the gradients of a norm of a single one would be close to infinity.
    v: tf.add(direction, tf.mul(0.5, tf.sign(direction))),
    dW: normal(shape, 2),
    ddg: normal(gShape, 3),
    ddv: normal(shape, 4),
  };
}
