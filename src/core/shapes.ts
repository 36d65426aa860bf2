/** Formats a shape for messages: `[3, 4]`. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The number of elements of a tensor of a shape. Files that import tfjs use `tf.util.sizeFromShape`. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);
