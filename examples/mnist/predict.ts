import * as tf from '@tensorflow/tfjs-core';
import type { nn } from 'tfjs-parametrize';
import { batches } from './batches.ts';
import { classCount, type Digits } from './digits.ts';

/** As an application would call a network: not all digits at once. */
const batchSize = 100;

/** The logits of every digit, ten numbers each. */
export async function predict(
  network: nn.Module,
  digits: Digits,
  signal: AbortSignal,
): Promise<Float32Array> {
  const logits = new Float32Array(digits.labels.length * classCount);
  let filled = 0;
  network.eval();
  for (const { images } of batches(digits, batchSize)) {
    const output = network.call(images) as tf.Tensor;
    const values = await output.data();
    output.dispose();
    logits.set(values, filled);
    filled += values.length;
    await tf.nextFrame();
    signal.throwIfAborted();
  }
  network.train();
  return logits;
}

/** The digit with the largest logit, for each. */
export function labelsOf(logits: Float32Array): number[] {
  const labels: number[] = [];
  for (let start = 0; start < logits.length; start += classCount) {
    const scores = logits.subarray(start, start + classCount);
    labels.push(scores.indexOf(Math.max(...scores)));
  }
  return labels;
}

/** The fraction of the digits that are recognized. */
export function accuracyOf(logits: Float32Array, digits: Digits): number {
  const right = labelsOf(logits).filter((label, i) => label === digits.labels[i]);
  return right.length / digits.labels.length;
}
