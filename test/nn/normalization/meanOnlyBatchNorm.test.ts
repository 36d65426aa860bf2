import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { MeanOnlyBatchNorm1d, MeanOnlyBatchNorm2d } from '../../../src/nn/index.ts';

describe('MeanOnlyBatchNorm', () => {
  it('takes the mean of each channel away and adds the bias, in training with the mean of the batch', () => {
    const norm = new MeanOnlyBatchNorm1d(2);
    tf.tidy(() => {
      (norm.bias as tf.Variable).assign(tf.tensor1d([10, 20]));
      const x = tf.tensor2d([
        [1, 4],
        [3, 8],
      ]);
      expect(norm.call(x)).toBeAllClose([
        [9, 18],
        [11, 22],
      ]);
      expect(norm.running_mean).toBeAllClose([0.2, 0.6]);
      norm.call(x);
      expect(norm.running_mean).toBeAllClose([0.38, 1.14]);
      expect(norm.num_batches_tracked).toBeAllClose(2);
      norm.eval();
      expect(norm.call(x)).toBeAllClose([
        [10.62, 22.86],
        [12.62, 26.86],
      ]);
      expect(norm.num_batches_tracked).toBeAllClose(2);
    });
    expect(Object.keys(norm.stateDict())).toEqual(['bias', 'running_mean', 'num_batches_tracked']);
    expect(String(norm)).toBe('MeanOnlyBatchNorm1d(2, momentum=0.1)');
    norm.dispose();
  });

  it('averages over positions, and over all batches without momentum', () => {
    const norm = new MeanOnlyBatchNorm2d(3, { momentum: null });
    tf.tidy(() => {
      const [x, z] = [tf.randomNormal([2, 3, 4, 5]), tf.randomNormal([2, 3, 4, 5])];
      expect(tf.mean(norm.call(x), [0, 2, 3])).toBeAllClose([0, 0, 0], { absolute: 1e-6 });
      norm.call(z);
      const means = [x, z].map((batch) => tf.mean(batch, [0, 2, 3]));
      expect(norm.running_mean).toBeAllClose(tf.div(tf.add(means[0]!, means[1]!), 2));
    });
    norm.dispose();
  });

  it('has in training a gradient for the input whose mean is zero: ∇ₜ = ∇ - μ[∇]', () => {
    const norm = new MeanOnlyBatchNorm1d(2);
    tf.tidy(() => {
      const [x, dy] = [tf.randomNormal([4, 2, 3]), tf.randomNormal([4, 2, 3])];
      const gradient = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(norm.call(input), dy)))(x);
      expect(gradient).toBeAllClose(tf.sub(dy, tf.mean(dy, [0, 2], true)));
      norm.eval();
      expect(tf.grad((input: tf.Tensor) => tf.sum(tf.mul(norm.call(input), dy)))(x)).toBeAllClose(dy);
    });
    norm.dispose();
  });

  it('refuses other shapes and options', () => {
    const norm = new MeanOnlyBatchNorm1d(2);
    tf.tidy(() => {
      for (const shape of [[2], [4, 3], [0, 2], [1, 2, 3, 4]]) {
        expect(() => norm.call(tf.zeros(shape))).toThrow(expect.objectContaining({ code: 'SHAPE' }));
      }
    });
    norm.dispose();
    expect(() => new MeanOnlyBatchNorm2d(0)).toThrow('numFeatures is 0');
    expect(() => new MeanOnlyBatchNorm2d(2, { eps: 1 } as never)).toThrow("'eps' is not an option");
  });
});
