import * as tf from '@tensorflow/tfjs-core';
import type { nn } from 'tfjs-parametrize';

/** The mean of ‖v‖ over all outputs of all weight-normalized layers; 0 if there are none. */
export async function directionLengths(network: nn.Module): Promise<number> {
  const directions = [...network.namedParameters()]
    .filter(([name]) => name.endsWith('original1'))
    .map(([, variable]) => variable as tf.Tensor);
  if (directions.length === 0) return 0;
  const mean = tf.tidy(() => {
    const lengths = directions.map((v) => tf.norm(tf.reshape(v, [v.shape[0]!, -1]), 'euclidean', 1));
    return tf.mean(tf.concat(lengths as tf.Tensor1D[]));
  });
  const [value] = await mean.data();
  mean.dispose();
  return value!;
}
