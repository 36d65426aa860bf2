import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { nn, symmetric, syncOptimizer } from '../../src/index.ts';

class Pair extends nn.Module {
  first: Tensor = nn.parameter(() => tf.ones([2, 2]));
  second: Tensor = nn.parameter(() => tf.ones([2, 2]));
  override forward(): Tensor {
    // Steep in one variable, flat in the other, so that their moments are far apart.
    return tf.add(tf.sum(tf.square(tf.mul(this.first, 30))), tf.sum(tf.square(this.second)));
  }
}

/** The second variable after training, a registration on the first, and one step more. */
async function secondAfter(between: (optimizer: tf.Optimizer, pair: Pair) => void): Promise<number[]> {
  const pair = new Pair();
  const optimizer = tf.train.adam(0.01);
  const step = () => optimizer.minimize(() => pair.call() as tf.Scalar, false, pair.parameters());
  step();
  between(optimizer, pair);
  step();
  const values = Array.from(await pair.second.data());
  optimizer.dispose();
  pair.dispose();
  return values;
}

describe('without syncOptimizer', () => {
  it('tfjs applies the moments of one variable to another of its shape, and says nothing', async () => {
    const undisturbed = await secondAfter(() => {});
    const corrupt = await secondAfter((_, pair) => symmetric(pair, 'first'));
    const synchronized = await secondAfter((optimizer, pair) => {
      symmetric(pair, 'first');
      syncOptimizer(optimizer, pair.parameters());
    });
    expect(synchronized).toBeAllClose(undisturbed);
    expect(corrupt).not.toBeAllClose(undisturbed, { relative: 1e-3 });
  });
});
