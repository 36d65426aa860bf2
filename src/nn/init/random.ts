import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkInteger } from '../../core/checkOptions.ts';

/** A reproducible sequence of seeds. A plain object, so that the copy of a module that holds one goes its own way. */
export interface SeedSequence {
  state: number;
}

let processSeeds: SeedSequence | undefined;

/**
 * Makes every later layer initialization, and every `Dropout` without a seed of its own, reproducible.
 *
 * Without a call they differ from run to run.
 *
 * @param seed - any integer; the same one repeats the same numbers
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

/** A sequence that begins at a seed of the caller's. */
export function seedSequence(caller: string, seed: number): SeedSequence {
  checkInteger(caller, 'seed', seed, Number.MIN_SAFE_INTEGER);
  return { state: seed };
}

/**
 * The next seed of a sequence: an integer from 1 to 2³², never 0, which `tf.randomNormal` takes for no seed.
 *
 * @param seeds - default: the process's, and a random seed before {@link manualSeed}
 */
export function nextSeed(seeds: SeedSequence | undefined = processSeeds): number {
  if (seeds === undefined) return 1 + Math.floor(Math.random() * 2 ** 32);
  // splitmix32: neighbouring states, which neighbouring seeds begin with, have unrelated hashes.
  seeds.state = (seeds.state + 0x9e3779b9) | 0;
  let hash = seeds.state;
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return 1 + ((hash ^ (hash >>> 15)) >>> 0);
}

/**
 * Independent numbers from U(-bound, bound): the default initialization of torch's layers, with `bound = 1/√fanIn` for
 * Linear and the convolutions. Follows {@link manualSeed}.
 *
 * @remarks
 * **Ownership**: the tensor is the caller's; `parameter(() => uniformWithin(shape, bound))` consumes it.
 */
export function uniformWithin(shape: number[], bound: number): Tensor {
  return tf.randomUniform(shape, -bound, bound, 'float32', nextSeed());
}
