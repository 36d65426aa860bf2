/** A shape as messages print it: `[3, 4]`. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** How many elements a tensor of a shape has; where tfjs is imported, `tf.util.sizeFromShape` says the same. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);
