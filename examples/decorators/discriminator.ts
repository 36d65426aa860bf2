import * as tf from '@tensorflow/tfjs-core';
import { cached, nn, spectralNorm } from 'tfjs-parametrize';
import { parametrized } from 'tfjs-parametrize/decorators';

/**
 * The discriminator of a GAN whose every layer has spectral norm 1, so that no two points are judged more differently than
 * they are far apart: `|D(a) − D(b)| ≤ ‖a − b‖`.
 *
 * @source Miyato et al. 2018, arXiv:1802.05957
 */
export class Discriminator extends nn.Module {
  @parametrized(spectralNorm) first = new nn.Linear(2, 16);
  @parametrized(spectralNorm) hidden = new nn.ModuleList([new nn.Linear(16, 16), new nn.Linear(16, 16)]);
  @parametrized(spectralNorm) last = new nn.Linear(16, 1);
  readonly activation = new nn.LeakyReLU(0.2);

  override forward(x: tf.Tensor): tf.Tensor {
    let y = this.activation.call(this.first.call(x));
    for (const layer of this.hidden) y = this.activation.call(layer.call(y));
    return this.last.call(y);
  }
}

/** Trains the discriminator to tell a ring from a blob by the hinge loss, and measures how steep it has become. */
export async function trainDiscriminator(steps: number): Promise<void> {
  nn.manualSeed(0);
  const model = new Discriminator();
  const noise = tf.randomNormal([128, 2], 0, 1, 'float32', 1);
  const ring = tf.tidy(() => tf.mul(3, tf.div(noise, tf.norm(noise, 'euclidean', 1, true))));
  const blob = tf.randomNormal([128, 2], 0, 0.5, 'float32', 2);
  const loss = (): tf.Scalar =>
    tf.add(tf.mean(tf.relu(tf.sub(1, model.call(ring)))), tf.mean(tf.relu(tf.add(1, model.call(blob)))));
  const adam = tf.train.adam(0.01);
  cached(() => {
    for (let step = 0; step < steps; step++) adam.minimize(loss, false, model.parameters());
  });

  model.eval();
  const [right, steepest] = tf.tidy(() => {
    const [real, fake] = [model.call(ring), model.call(blob)];
    const rise = tf.abs(tf.sub(real, fake));
    const distance = tf.norm(tf.sub(ring, blob), 'euclidean', 1, true);
    const counts = [
      tf.mean(tf.cast(tf.greater(real, 0), 'float32')),
      tf.mean(tf.cast(tf.less(fake, 0), 'float32')),
    ];
    return [tf.mean(tf.stack(counts)), tf.max(tf.div(rise, distance))];
  }) as [tf.Tensor, tf.Tensor];
  console.log(`  told apart ${Math.round((await right.data())[0]! * 100)} of 100`);
  console.log(`  steepest slope at most 1: ${(await steepest.data())[0]! <= 1.001}`);
  model.dispose();
  adam.dispose();
  tf.dispose([noise, ring, blob, right, steepest]);
}
