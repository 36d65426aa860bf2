import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type Fingerprint, fingerprint } from './fingerprint.ts';
import type { Contestant } from './interleave.ts';

/** The backends that compute synchronously, so that work is done when the call returns. */
export type Backend = 'cpu' | 'wasm';

/** Work and how to compare what it computes. */
export interface Step {
  /** Does the work once. */
  compute(): Tensor[];
  /** Its results in the layouts of those that it is compared with; by default they are. */
  comparable?(results: Tensor[]): Tensor[];
}

/** Work that tfjs does. */
export interface TfjsContestant extends Contestant {
  /** The fingerprints of what it computes. */
  fingerprints(): Promise<Fingerprint[]>;
}

/**
 * A contestant that runs on tfjs.
 *
 * @param make - called with the backend in place; makes the tensors that the work needs and returns the work
 */
export async function tfjsContestant(
  name: string,
  backend: Backend,
  make: () => Step,
): Promise<TfjsContestant> {
  await tf.setBackend(backend);
  const step = make();
  return {
    name,
    async run(repetitions) {
      await tf.setBackend(backend);
      const start = performance.now();
      for (let i = 0; i < repetitions; i++) tf.tidy(() => void step.compute());
      return performance.now() - start;
    },
    async fingerprints() {
      await tf.setBackend(backend);
      const results = tf.tidy(() => (step.comparable ?? ((same) => same))(step.compute()));
      const prints = await Promise.all(results.map(fingerprint));
      tf.dispose(results);
      return prints;
    },
  };
}
