import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkInteger } from '../../core/checkOptions.ts';

/** A reproducible sequence of seeds. It is a plain object, so a copy of its module gets an independent copy. */
export interface SeedSequence {
  state: number;
}

let processSeeds: SeedSequence | undefined;

/**
 * Makes all later layer initializations, and every `Dropout` without its own seed, reproducible.
 *
 * Without a call, they differ from run to run.
 *
 * @param seed - any integer; the same seed repeats the same numbers
 * @throws {@link ParametrizeError} `OPTION` if the seed is not an integer
 * @example
 * ```ts
 * nn.manualSeed(0);
 * const model = new nn.Linear(4, 8); // the same weights in every run
 * ```
 * @see torch.manual_seed (the numbers are not torch's)
 */
export function manualSeed(seed: number): void {
  processSeeds = seedSequence('manualSeed', seed);
}

/** Makes a sequence from a seed. */
export function seedSequence(caller: string, seed: number): SeedSequence {
  checkInteger(caller, 'seed', seed, Number.MIN_SAFE_INTEGER);
  return { state: seed };
}

/**
 * Returns the next seed of a sequence, an integer from 1 to 2³². `tf.randomNormal` ignores a seed of 0.
 *
 * @param seeds - default: the sequence of {@link manualSeed}; before its first call, the result is random
 */
export function nextSeed(seeds: SeedSequence | undefined = processSeeds): number {
  if (seeds === undefined) return 1 + Math.floor(Math.random() * 2 ** 32);
  // splitmix32: the hashes of neighbouring states are unrelated, so neighbouring seeds give unrelated sequences.
  seeds.state = (seeds.state + 0x9e3779b9) | 0;
  let hash = seeds.state;
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return 1 + ((hash ^ (hash >>> 15)) >>> 0);
}

/**
 * Draws independent numbers from U(-bound, bound): the default initialization of torch's layers, with
 * `bound = 1/√fanIn` for Linear and the convolutions. Follows {@link manualSeed}.
 *
 * @remarks
 * **Ownership**: the tensor is the caller's; `parameter(() => uniformWithin(shape, bound))` consumes it.
 */
export function uniformWithin(shape: number[], bound: number): Tensor {
  return tf.randomUniform(shape, -bound, bound, 'float32', nextSeed());
}

/**
 * Draws independent numbers from N(0, deviation²). Follows {@link manualSeed}.
 *
 * @remarks
 * **Ownership**: the tensor is the caller's.
 *
 * @param deviation - the standard deviation. Default 1.
 */
export const normalNumbers = (shape: readonly number[], deviation = 1): Tensor =>
  tf.randomNormal([...shape], 0, deviation, 'float32', nextSeed());
