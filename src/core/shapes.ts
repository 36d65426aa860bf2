/** A shape as messages print it: `[3, 4]`. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The number of elements of a tensor of a shape, as `tf.util.sizeFromShape` in files that import tfjs. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);
