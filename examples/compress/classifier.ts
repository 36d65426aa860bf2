import * as tf from '@tensorflow/tfjs';
import { batches } from '../mnist/batches.ts';
import { classCount, type Digits, imageSide } from '../mnist/digits.ts';
import { randomSequence } from '../mnist/randomSequence.ts';

/** Images and one-hot labels as `fit` takes them. */
export interface Examples {
  readonly images: tf.Tensor4D;
  readonly labels: tf.Tensor;
}

/** The digits in the order of a seed, or in their own. `fit` takes them in this order, so that two runs are the same. */
export function examplesOf(digits: Digits, seed?: number): Examples {
  const random = seed === undefined ? undefined : randomSequence(seed);
  for (const { images, labels } of batches(digits, digits.labels.length, random)) {
    return { images: images.clone(), labels: tf.oneHot(labels, classCount) };
  }
  throw new Error('There are no digits.');
}

/** A network of three dense layers. The same seed makes the same weights. */
export function classifier(seed: number): tf.Sequential {
  const layer = (units: number, number: number, activation: 'relu' | 'softmax') =>
    tf.layers.dense({
      units,
      activation,
      kernelInitializer: tf.initializers.glorotUniform({ seed: 10 * seed + number }),
    });
  return tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [1, imageSide, imageSide] }),
      layer(256, 1, 'relu'),
      layer(128, 2, 'relu'),
      layer(classCount, 3, 'softmax'),
    ],
  });
}

const batchSize = 64;

/** Trains a model with Adam. */
export async function trainModel(
  model: tf.LayersModel,
  { images, labels }: Examples,
  epochs: number,
  learningRate: number,
  callbacks: tf.CustomCallbackArgs = {},
): Promise<void> {
  const optimizer = tf.train.adam(learningRate);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  try {
    await model.fit(images, labels, { epochs, batchSize, shuffle: false, verbose: 0, callbacks });
  } finally {
    optimizer.dispose();
  }
}

/** The number of steps of such a training. */
export const stepsOf = ({ images }: Examples, epochs: number): number =>
  epochs * Math.ceil(images.shape[0] / batchSize);

/** The probabilities of the ten digits, for each image. */
export async function probabilitiesOf(model: tf.LayersModel, { images }: Examples): Promise<Float32Array> {
  const output = model.predict(images) as tf.Tensor;
  try {
    return (await output.data()) as Float32Array;
  } finally {
    output.dispose();
  }
}
