import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { nn, weightNorm } from '../../../src/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { Discriminator, discriminatorLoss, Generator, generatorLoss, gradientPenalty } from './gan.ts';
import { leavingNothing, numberOf, step, train } from './train.ts';

const batch = 6;

/** Images whose left half is bright and whose right half is dark, with some noise. */
const realImages = (): tf.Tensor =>
  tf.tidy(() => {
    const row = tf.tensor([0.8, 0.8, 0.8, 0.8, -0.8, -0.8, -0.8, -0.8]);
    return tf.add(row, tf.randomUniform([batch, 1, 8, 8], -0.2, 0.2, 'float32', 3));
  });

const noise = (i: number): tf.Tensor => tf.randomNormal([batch, 2, 1, 1], 0, 1, 'float32', 100 + i);
const mixture = (i: number): tf.Tensor => tf.randomUniform([batch, 1, 1, 1], 0, 1, 'float32', 1000 + i);

describe('A WGAN with gradient penalty', () => {
  it('learns a slope of 1 and to tell images from noise', () => {
    leavingNothing(() => {
      nn.manualSeed(2);
      const discriminator = new Discriminator(8, [3, 4]);
      const optimizer = tf.train.adam(0.01);
      const real = realImages();
      const generated = tf.randomUniform([batch, 1, 8, 8], -1, 1, 'float32', 4);
      const penalty = (): number =>
        numberOf(() => gradientPenalty(discriminator, tf.div(tf.add(real, generated), 2)));

      const start = penalty();
      const losses = train([discriminator], 40, (i) =>
        step(optimizer, discriminator.parameters(), () =>
          discriminatorLoss(discriminator, real, generated, mixture(i)),
        ),
      );
      expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
      expect(penalty()).toBeLessThan(start / 2);

      tf.dispose([real, generated]);
      optimizer.dispose();
      discriminator.dispose();
    });
  });

  it('learns to generate images, one network against the other', () => {
    leavingNothing(() => {
      nn.manualSeed(3);
      const discriminator = new Discriminator(8, [3, 4]);
      const generator = new Generator(2, 4);
      const optimizers = [tf.train.adam(0.02, 0.5, 0.9), tf.train.adam(0.03, 0.5, 0.9)];
      const real = realImages();
      const distance = (): number =>
        numberOf(() => {
          const generated = tf.mean(generator.call(noise(0)) as tf.Tensor, 0);
          return tf.mean(tf.square(tf.sub(generated, tf.mean(real, 0))));
        });

      generator.eval();
      const start = distance();
      generator.train();
      train([discriminator, generator], 40, (i) => {
        for (const k of [2 * i, 2 * i + 1]) {
          const generated = tf.tidy(() => generator.call(noise(k)) as tf.Tensor);
          step(optimizers[0]!, discriminator.parameters(), () =>
            discriminatorLoss(discriminator, real, generated, mixture(k)),
          );
          generated.dispose();
        }
        step(optimizers[1]!, generator.parameters(), () =>
          generatorLoss(discriminator, generator.call(noise(i)) as tf.Tensor),
        );
      });
      generator.eval();
      expect(distance()).toBeLessThan(start / 2);

      real.dispose();
      for (const optimizer of optimizers) optimizer.dispose();
      discriminator.dispose();
      generator.dispose();
    });
  });

  it.each([
    ['', (discriminator: nn.Sequential) => discriminator],
    [
      ', with weight normalization',
      (discriminator: nn.Sequential) => {
        for (const layer of [discriminator[0]!, discriminator[3]!])
          weightNorm(layer as nn.Conv2d | nn.Linear);
        return discriminator;
      },
    ],
  ])('has the gradient of the penalty that central differences have%s', (_how, prepare) => {
    leavingNothing(() => {
      nn.manualSeed(4);
      const discriminator = prepare(new Discriminator(4, [2]));
      const x = example([2, 1, 4, 4]);
      // The penalty jumps where a LeakyReLU bends: a difference of 0.01 must not step over.
      const nearest = numberOf(() => tf.min(tf.abs(discriminator[0]!.call(x))));
      expect(nearest).toBeGreaterThan(0.02);
      expectGradients(() => gradientPenalty(discriminator, x), discriminator.parameters(), [1]);
      x.dispose();
      discriminator.dispose();
    });
  });
});
