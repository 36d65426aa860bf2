import * as tf from '@tensorflow/tfjs-core';
import { nn } from '../../../src/index.ts';

/** Scores images of one channel: halves them with strided convolutions, then adds all up. */
export class Discriminator extends nn.Sequential {
  /** @param channels - of each convolution */
  constructor(size: number, channels: readonly number[]) {
    const convolutions = channels.flatMap((width, i) => [
      new nn.Conv2d(channels[i - 1] ?? 1, width, 4, { stride: 2, padding: 1 }),
      new nn.LeakyReLU(0.2),
    ]);
    const features = channels.at(-1)! * (size / 2 ** channels.length) ** 2;
    // A bias would cancel out in the difference of two scores, and in their gradients.
    super(...convolutions, new nn.Flatten(), new nn.Linear(features, 1, { bias: false }));
  }
}

/** Makes images of 8 by 8 and one channel out of noise `[n, noise, 1, 1]`. */
export class Generator extends nn.Sequential {
  constructor(noise: number, channels: number) {
    super(
      // Batch normalization takes the mean away, and a bias with it.
      new nn.ConvTranspose2d(noise, channels, 4, { bias: false }),
      new nn.BatchNorm2d(channels),
      new nn.ReLU(),
      new nn.ConvTranspose2d(channels, 1, 4, { stride: 2, padding: 1 }),
      new nn.Tanh(),
    );
  }
}

/**
 * How far the slope of the scores is from 1 between real and generated images: the mean of `(‖∂D/∂x‖ - 1)²`.
 *
 * @param x - images between real and generated ones
 * @see Gulrajani et al. 2017, arXiv:1704.00028
 */
export function gradientPenalty(discriminator: nn.Module, x: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const slopes = tf.grad((images) => tf.sum(discriminator.call(images) as tf.Tensor))(x);
    const norms = tf.sqrt(tf.sum(tf.square(slopes), [1, 2, 3]));
    return tf.mean(tf.square(tf.sub(norms, 1)));
  });
}

/** The discriminator's loss: scores of generated images minus those of real ones, plus ten times the penalty. */
export function discriminatorLoss(
  discriminator: nn.Module,
  real: tf.Tensor,
  generated: tf.Tensor,
  mix: tf.Tensor,
): tf.Scalar {
  return tf.tidy(() => {
    const between = tf.add(tf.mul(real, mix), tf.mul(generated, tf.sub(1, mix)));
    const difference = tf.sub(
      tf.mean(discriminator.call(generated) as tf.Tensor),
      tf.mean(discriminator.call(real) as tf.Tensor),
    );
    return tf.add(difference, tf.mul(gradientPenalty(discriminator, between), 10));
  });
}

/** The generator's loss: minus the scores of its images. */
export const generatorLoss = (discriminator: nn.Module, generated: tf.Tensor): tf.Scalar =>
  tf.tidy(() => tf.neg(tf.mean(discriminator.call(generated) as tf.Tensor)));
