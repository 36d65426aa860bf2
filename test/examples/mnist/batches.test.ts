import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { batches } from '../../../examples/mnist/batches.ts';
import { loadDigits } from '../../../examples/mnist/loadDigits.ts';
import { randomSequence } from '../../../examples/mnist/randomSequence.ts';

describe('batches', () => {
  it('gives every digit once, shuffled by the seed, and frees its tensors also when left early', () => {
    const { training } = loadDigits(100);
    const labelsIn = (seed?: number) => {
      const labels: number[] = [];
      for (const batch of batches(training, 32, seed === undefined ? undefined : randomSequence(seed))) {
        expect(batch.images.shape).toEqual([batch.labels.shape[0], 1, 28, 28]);
        labels.push(...batch.labels.dataSync());
      }
      return labels;
    };
    expect(labelsIn()).toEqual([...training.labels]);
    expect(labelsIn(1)).toEqual(labelsIn(1));
    expect(labelsIn(1)).not.toEqual(labelsIn(2));
    expect(labelsIn(1).sort()).toEqual([...training.labels]);
    const before = tf.memory().numTensors;
    for (const _ of batches(training, 8)) break;
    expect(tf.memory().numTensors).toBe(before);
  });
});
