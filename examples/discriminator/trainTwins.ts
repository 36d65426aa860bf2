import * as tf from '@tensorflow/tfjs';
import { parametrize, spectralNorm, valueOf } from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import { discriminator } from './discriminator.ts';
import type { Images } from './images.ts';
import { largestSingularValue } from './singularValue.ts';

/** What training did to a discriminator. */
export interface Twin {
  readonly name: string;
  /** Before training and after every epoch: the spectral norm of each convolution, computed from its kernel. */
  readonly norms: readonly (readonly number[])[];
  /** The part of the images that it told apart in the last epoch. */
  readonly accuracy: number;
}

/** Trains two discriminators from the same weights in `fit`: one as it is, and one with one rule. */
export async function trainTwins({ images, labels }: Images, epochs: number): Promise<Twin[]> {
  const twins: Twin[] = [];
  for (const name of ['plain', 'spectral norm']) {
    const model = discriminator(1);
    if (name === 'spectral norm') {
      // Adam moves kernels this small too far in a step for one power iteration.
      parametrize(model, [{ type: 'Conv2D', apply: spectralNorm, options: { nPowerIterations: 5 } }]);
    }
    model.compile({ optimizer: tf.train.adam(0.005), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const norms = [await spectralNorms(model)];
    const { history } = await model.fit(images, labels, {
      epochs,
      batchSize: 25,
      shuffle: false,
      verbose: 0,
      callbacks: { onEpochEnd: async () => void norms.push(await spectralNorms(model)) },
    });
    twins.push({ name, norms, accuracy: Number(history['acc']!.at(-1)) });
    model.optimizer.dispose();
    model.dispose();
  }
  return twins;
}

/** The spectral norms of the kernels that the convolutions compute with, as matrices with one column per filter. */
async function spectralNorms(model: tf.Sequential): Promise<number[]> {
  const norms: number[] = [];
  for (const layer of model.layers.filter((layer) => layer.getClassName() === 'Conv2D')) {
    const kernel = valueOf(layer, 'kernel');
    const filters = kernel.shape.at(-1)!;
    const values = [...(await kernel.data())];
    const columns = Array.from({ length: filters }, (_, filter) =>
      values.filter((_value, i) => i % filters === filter),
    );
    norms.push(largestSingularValue(columns));
  }
  return norms;
}
