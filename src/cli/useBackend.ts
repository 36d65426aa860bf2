import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError } from '../checkpoint/checkpointError.ts';

/**
 * Sees to it that tfjs can compute: with the backend that there is, else with the cpu backend, which is loaded only
 * then.
 *
 * @throws {@link CheckpointError} `UNSUPPORTED` if that is not installed
 */
export async function useBackend(): Promise<void> {
  if (tf.getBackend() !== undefined) return;
  try {
    await import('@tensorflow/tfjs-backend-cpu');
  } catch (cause) {
    throw new CheckpointError(
      'UNSUPPORTED',
      'the recipe in the file tells how its weights are parametrized, and to follow it takes a backend of tfjs, which is not installed',
      'Run npm install @tensorflow/tfjs-backend-cpu.',
      { cause },
    );
  }
  // Without advice about faster backends, which are not for a command that runs once.
  tf.enableProdMode();
  await tf.setBackend('cpu');
}
