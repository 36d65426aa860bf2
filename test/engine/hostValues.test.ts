import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { hostValues } from '../../src/engine/hostValues.ts';

const isKnown = ['cpu', 'wasm'].includes(process.env['TFJS_BACKEND'] ?? 'cpu');

describe('hostValues', () => {
  it('gives the numbers of a tensor on backends that compute in the memory of the process, else null', () => {
    tf.tidy(() => {
      const x = tf.mul(tf.tensor2d([[1, 2], [3, 4.5]]), 2); // biome-ignore format: a matrix
      const found = hostValues(x);
      expect(found && Array.from(found)).toEqual(isKnown ? [2, 4, 6, 9] : null);
    });
  });

  it('gives a copy, which later computations leave alone', () => {
    const x = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 0));
    const found = hostValues(x);
    x.dispose();
    // On wasm it takes the place in memory that is free now.
    const y = tf.tidy(() => tf.add(tf.tensor1d([5, 6]), 0));
    expect(found && Array.from(found)).toEqual(isKnown ? [1, 2] : null);
    y.dispose();
  });

  it('gives those of a tensor that was made on another backend', async () => {
    const backend = tf.getBackend();
    if (!isKnown) return;
    await tf.setBackend(backend === 'cpu' ? 'wasm' : 'cpu');
    const x = tf.tensor1d([1, 2]);
    const y = tf.add(x, 1);
    x.dispose();
    await tf.setBackend(backend);
    expect(Array.from(hostValues(y)!)).toEqual([2, 3]);
    y.dispose();
  });
});
