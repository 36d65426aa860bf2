import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * The numbers of a tensor, or null where asking for them would mean waiting for a device.
 *
 * Note [Numbers at hand]. Nothing here reads a tensor synchronously. On backends that compute in the memory of the process
 * the numbers can be looked at all the same, so that an algorithm may do what they need and no more. Who calls it brings
 * the function along, and the algorithm has another way without it.
 */
export type NumbersAtHand = (x: Tensor) => ArrayLike<number> | null;

/** Of a backend of which nothing is known. */
export const nothingAtHand: NumbersAtHand = () => null;
