import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * The key of the property with the axis of a module's weight that numbers the outputs. Without the property, the axis
 * is 0.
 */
export const OUTPUT_AXIS: unique symbol = Symbol.for('tfjs-parametrize.outputAxis') as never;

/**
 * The key of the property with the axis of a module's weight that numbers the features, if it is not the one of the
 * outputs: that of the vectors of an embedding.
 */
export const FEATURE_AXIS: unique symbol = Symbol.for('tfjs-parametrize.featureAxis') as never;

/** Returns the axis of a tensor that numbers the features; 0 for a vector. */
export const featureAxis = (host: object, rank: number): number =>
  (rank > 1 ? (host as { [FEATURE_AXIS]?: number })[FEATURE_AXIS] : undefined) ?? outputAxis(host, { rank });

/** Returns the axis of a tensor that numbers the outputs; 0 for a vector, such as a bias. */
export const outputAxis = (host: object, { rank }: Pick<Tensor, 'rank'>): number =>
  (rank > 1 ? (host as { [OUTPUT_AXIS]?: number })[OUTPUT_AXIS] : undefined) ?? 0;
