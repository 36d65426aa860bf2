import * as tf from '@tensorflow/tfjs';
import { valueOf } from 'tfjs-parametrize';
import { constraintsToParametrizations } from 'tfjs-parametrize/layers';
import { classCount, type Digits, imageSize } from './digits.ts';

/** The norms of the columns of a kernel after `fit`, which a constraint says are 1. */
export interface KernelNorms {
  readonly name: string;
  readonly least: number;
  readonly largest: number;
}

/** Trains a model of tf.layers with a `unitNorm` constraint twice: as it is, and with the constraint as a parametrization. */
export async function constraintInFit(digits: Digits, signal: AbortSignal): Promise<KernelNorms[]> {
  const count = digits.labels.length;
  const images = tf.tensor2d(digits.images, [count, imageSize]);
  const labels = tf.tidy(() => tf.oneHot(tf.tensor1d(digits.labels, 'int32'), classCount));
  const results: KernelNorms[] = [];
  try {
    for (const name of ['tf.constraints.unitNorm', 'the same as a parametrization']) {
      const model = constrainedModel();
      if (results.length > 0) constraintsToParametrizations(model);
      model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
      await model.fit(images, labels, {
        batchSize: 100,
        epochs: 1,
        shuffle: false,
        verbose: 0,
        callbacks: { onBatchEnd: async () => signal.throwIfAborted() },
      });
      results.push({ name, ...(await normsOf(valueOf(model.layers[0]!, 'kernel'))) });
      model.optimizer.dispose();
      model.dispose();
    }
  } finally {
    tf.dispose([images, labels]);
  }
  return results;
}

function constrainedModel(): tf.Sequential {
  const [first, last] = [1, 2].map((seed) => tf.initializers.glorotUniform({ seed }));
  return tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [imageSize],
        units: 32,
        activation: 'relu',
        kernelInitializer: first!,
        kernelConstraint: tf.constraints.unitNorm({ axis: 0 }),
      }),
      tf.layers.dense({ units: classCount, activation: 'softmax', kernelInitializer: last! }),
    ],
  });
}

async function normsOf(kernel: tf.Tensor): Promise<{ least: number; largest: number }> {
  const norms = tf.tidy(() => tf.sqrt(tf.sum(tf.square(kernel), 0)));
  const values = await norms.data();
  norms.dispose();
  return { least: Math.min(...values), largest: Math.max(...values) };
}
