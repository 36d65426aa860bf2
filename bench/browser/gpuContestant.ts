import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type Fingerprint, fingerprint } from '../measure/fingerprint.ts';
import type { Step, TfjsContestant } from '../measure/tfjsContestant.ts';

/**
 * A contestant that runs on a backend in use that computes on a graphics processor, which is done later than the call
 * returns: the time is that until a number of the last result is here.
 *
 * @param make - makes the tensors that the work needs and returns the work
 */
export function gpuContestant(name: string, make: () => Step): TfjsContestant {
  const step = make();
  return {
    name,
    async run(repetitions) {
      await first(step);
      const start = performance.now();
      for (let i = 1; i < repetitions; i++) tf.tidy(() => void step.compute());
      await first(step);
      return performance.now() - start;
    },
    async fingerprints(): Promise<Fingerprint[]> {
      const results = tf.tidy(() => step.compute());
      const prints = await Promise.all(results.map(fingerprint));
      tf.dispose(results);
      return prints;
    },
  };
}

/** Does the work and waits for the first number of its last result, before which all else is computed. */
async function first(step: Step): Promise<void> {
  const number = tf.tidy((): Tensor => {
    const results = step.compute();
    return tf.slice(tf.reshape(results.at(-1)!, [-1]), 0, 1);
  });
  await number.data();
  number.dispose();
}
