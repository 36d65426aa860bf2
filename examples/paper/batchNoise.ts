import * as tf from '@tensorflow/tfjs-core';
import type { nn } from 'tfjs-parametrize';
import { batches } from '../mnist/batches.ts';
import type { Digits } from '../mnist/digits.ts';
import { randomSequence } from '../mnist/randomSequence.ts';

const fixedCount = 8;
const batchSize = 32;
const batchCount = 20;

/**
 * The influence of the other digits of a batch: the standard deviation of the logits of 8 digits over 20 batches that
 * they are put into, relative to the standard deviation of the logits. The network is in training mode.
 */
export async function batchNoise(network: nn.Module, digits: Digits, signal: AbortSignal): Promise<number> {
  const answers: tf.Tensor[] = [];
  let fixed: tf.Tensor4D | undefined;
  try {
    for (const { images } of batches(digits, batchSize, randomSequence(1))) {
      fixed ??= tf.slice(images, 0, fixedCount);
      const mixed = tf.tidy(() => {
        const others = tf.slice(images, fixedCount, images.shape[0] - fixedCount);
        return tf.slice(network.call(tf.concat([fixed!, others])) as tf.Tensor2D, 0, fixedCount);
      });
      answers.push(mixed);
      signal.throwIfAborted();
      if (answers.length === batchCount) break;
    }
    const noise = tf.tidy(() => {
      const logits = tf.stack(answers);
      const byBatches = tf.mean(tf.moments(logits, 0).variance);
      return tf.sqrt(tf.div(byBatches, tf.moments(logits).variance));
    });
    const [value] = await noise.data();
    noise.dispose();
    return value!;
  } finally {
    tf.dispose([answers, fixed ?? []]);
  }
}
