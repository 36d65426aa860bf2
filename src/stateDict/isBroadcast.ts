/** True if a vector is broadcast to a tensor along its channels, or to all of its elements. */
export const isBroadcast = (stored: readonly number[], shape: readonly number[]): boolean =>
  stored.length === 1 &&
  String(stored) !== String(shape) &&
  (stored[0] === 1 || (stored[0] === shape[0] && shape.length > 1));
