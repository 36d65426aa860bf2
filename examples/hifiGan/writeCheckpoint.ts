import * as tf from '@tensorflow/tfjs-core';
import { minimize, nn } from 'tfjs-parametrize';
import { saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import { Generator, type GeneratorSize } from './generator.ts';
import { normalizeGenerator } from './normalizeGenerator.ts';
import type { Melody } from './tone.ts';

/** The samples of the trained generator, and its losses at first and at last. */
export interface Trained {
  readonly samples: Float32Array;
  readonly losses: readonly [first: number, last: number];
}

/**
 * Trains a generator to play a melody and saves it with the keys of torch's `weight_norm`: `ups.0.weight_g`,
 * `ups.0.weight_v`. PyTorch has no part in it.
 */
export async function writeCheckpoint(
  file: string,
  size: GeneratorSize,
  { frames, sound }: Melody,
  steps: number,
): Promise<Trained> {
  nn.manualSeed(1);
  const generator = new Generator(size);
  normalizeGenerator(generator);
  const adam = tf.train.adam(0.005);
  const losses: number[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      const loss = minimize(
        adam,
        () => tf.losses.meanSquaredError(sound, generator.call(frames)) as tf.Scalar,
        generator,
        { returnCost: true },
      );
      losses.push((await loss.data())[0]!);
      loss.dispose();
    }
    await saveCheckpoint(generator, file, { keyFormat: 'legacy' });
    const output = generator.call(frames);
    const samples = (await output.data()) as Float32Array;
    output.dispose();
    return { samples, losses: [losses[0]!, losses.at(-1)!] };
  } finally {
    generator.dispose();
    adam.dispose();
  }
}
