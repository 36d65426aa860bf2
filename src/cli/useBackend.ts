import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError } from '../checkpoint/checkpointError.ts';

/**
 * Makes sure that tfjs has a backend. If none is registered, loads the cpu backend.
 *
 * @throws {@link CheckpointError} `UNSUPPORTED` if the cpu backend is not installed
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
  // Production mode drops the advice about faster backends, which makes no sense for a command that runs once.
  tf.enableProdMode();
  await tf.setBackend('cpu');
}
