import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * The key of the property with the axis of a module's weight that numbers the outputs. Without the property, the axis
 * is 0.
 */
export const OUTPUT_AXIS: unique symbol = Symbol.for('tfjs-parametrize.outputAxis') as never;

/** Returns the axis of a tensor that numbers the outputs; 0 for a vector, such as a bias. */
export const outputAxis = (host: object, { rank }: Tensor): number =>
  (rank > 1 ? (host as { [OUTPUT_AXIS]?: number })[OUTPUT_AXIS] : undefined) ?? 0;
