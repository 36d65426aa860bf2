import * as tf from '@tensorflow/tfjs';

const slope = 0.2;

/** A discriminator of three convolutions with LeakyReLUs. The same seed makes the same initial weights. */
export function discriminator(seed: number): tf.Sequential {
  const kernelInitializer = tf.initializers.glorotUniform({ seed });
  const conv = (filters: number, first = {}): tf.layers.Layer =>
    tf.layers.conv2d({ filters, kernelSize: 3, strides: 2, padding: 'same', kernelInitializer, ...first });
  const activation = (): tf.layers.Layer => tf.layers.leakyReLU({ alpha: slope });
  return tf.sequential({
    layers: [
      conv(4, { inputShape: [14, 14, 1] }),
      activation(),
      conv(8),
      activation(),
      conv(8),
      activation(),
      tf.layers.flatten(),
      tf.layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer }),
    ],
  });
}
