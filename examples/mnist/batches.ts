import * as tf from '@tensorflow/tfjs-core';
import { type Digits, imageSide, imageSize } from './digits.ts';

/** Some digits as a network takes them. */
export interface Batch {
  /** `[n, 1, 28, 28]` */
  readonly images: tf.Tensor4D;
  /** `[n]`, int32 */
  readonly labels: tf.Tensor1D;
}

/**
 * The digits in batches, the last of which may be smaller. The tensors of a batch are disposed when the next one is asked
 * for, and when the loop is left.
 *
 * @param random - shuffles the digits; without it they come in their own order
 */
export function* batches(digits: Digits, batchSize: number, random?: () => number): Generator<Batch> {
  const order = Uint32Array.from(digits.labels, (_, i) => i);
  if (random) shuffle(order, random);
  for (let start = 0; start < order.length; start += batchSize) {
    const chosen = order.subarray(start, start + batchSize);
    const images = new Float32Array(chosen.length * imageSize);
    const labels = new Int32Array(chosen.length);
    for (const [i, digit] of chosen.entries()) {
      images.set(digits.images.subarray(digit * imageSize, (digit + 1) * imageSize), i * imageSize);
      labels[i] = digits.labels[digit]!;
    }
    const batch: Batch = {
      images: tf.tensor4d(images, [chosen.length, 1, imageSide, imageSide]),
      labels: tf.tensor1d(labels, 'int32'),
    };
    try {
      yield batch;
    } finally {
      tf.dispose([batch.images, batch.labels]);
    }
  }
}

/** Fisher–Yates. */
function shuffle(order: Uint32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
}
