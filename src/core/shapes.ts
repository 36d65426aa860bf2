/** A shape as messages print it: `[3, 4]`. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
