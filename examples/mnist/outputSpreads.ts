import * as tf from '@tensorflow/tfjs-core';
import type { DeepNet } from './deepNet.ts';

/**
 * The standard deviation of each output of a layer over a batch, averaged over the outputs of the layer; for every
 * layer. Where it is near 0, the layer says the same about every digit, and no gradient tells them apart.
 */
export async function outputSpreads(network: DeepNet, images: tf.Tensor): Promise<number[]> {
  const spreads: tf.Tensor[] = [];
  const hooks = [...network.layers].map((layer) =>
    layer.registerForwardHook((_layer, _inputs, output) => {
      const { variance } = tf.moments(output as tf.Tensor, 0);
      spreads.push(tf.keep(tf.mean(tf.sqrt(variance))));
    }),
  );
  tf.tidy(() => {
    network.call(images);
  });
  for (const hook of hooks) hook.remove();
  const values = await Promise.all(spreads.map((spread) => spread.data()));
  tf.dispose(spreads);
  return values.map(([value]) => value!);
}
