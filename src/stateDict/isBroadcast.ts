/** True if a vector stands for a tensor with the same channels, or for all of its elements. */
export const isBroadcast = (stored: readonly number[], shape: readonly number[]): boolean =>
  stored.length === 1 &&
  String(stored) !== String(shape) &&
  (stored[0] === 1 || (stored[0] === shape[0] && shape.length > 1));
