import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * The key under which a module tells which axis of its weight numbers its outputs; axis 0 does where it tells nothing.
 */
export const OUTPUT_AXIS: unique symbol = Symbol.for('tfjs-parametrize.outputAxis') as never;

/** The axis of a tensor of an object that numbers its outputs; 0 for a vector, such as a bias. */
export const outputAxis = (host: object, { rank }: Tensor): number =>
  (rank > 1 ? (host as { [OUTPUT_AXIS]?: number })[OUTPUT_AXIS] : undefined) ?? 0;
