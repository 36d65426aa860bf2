import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { nn, symmetric, syncOptimizer, weightNorm } from '../../src/index.ts';

class Pair extends nn.Module {
  first: Tensor = nn.parameter(() => tf.ones([2, 2]));
  second: Tensor = nn.parameter(() => tf.ones([2, 2]));
  override forward(): Tensor {
    // Steep in one variable, flat in the other, so that their moments are far apart.
    return tf.add(tf.sum(tf.square(tf.mul(this.first, 30))), tf.sum(tf.square(this.second)));
  }
}

/** The second variable after training, a change, and one step more. */
async function secondAfter(
  between: (optimizer: tf.Optimizer, pair: Pair) => void,
  list = (pair: Pair) => pair.parameters(),
): Promise<number[]> {
  const pair = new Pair();
  const optimizer = tf.train.adam(0.01);
  const step = (variables: tf.Variable[]) =>
    optimizer.minimize(() => pair.call() as tf.Scalar, false, variables);
  try {
    step(pair.parameters());
    between(optimizer, pair);
    step(list(pair));
    return Array.from(await pair.second.data());
  } finally {
    optimizer.dispose();
    pair.dispose();
  }
}

const reversed = (pair: Pair): tf.Variable[] => pair.parameters().reverse();

describe('moments of tfjs go by position', () => {
  it('so that a list in another order applies those of one variable to another of its shape, and says nothing', async () => {
    const undisturbed = await secondAfter(() => {});
    const corrupt = await secondAfter(() => {}, reversed);
    expect(corrupt).not.toBeAllClose(undisturbed, { relative: 1e-3 });
  });

  it('but as soon as a variable is an original they go with the variables, in every order', async () => {
    const undisturbed = await secondAfter(() => {});
    // After this registration the list has the same variables in the other order.
    const moved = await secondAfter((_, pair) => symmetric(pair, 'first'));
    const again = await secondAfter((_, pair) => symmetric(pair, 'first'), reversed);
    const synchronized = await secondAfter((optimizer, pair) => {
      symmetric(pair, 'first');
      syncOptimizer(optimizer, pair.parameters());
    });
    expect(moved).toBeAllClose(undisturbed);
    expect(again).toBeAllClose(undisturbed);
    expect(synchronized).toBeAllClose(undisturbed);
  });

  it('and a step with a variable that is new is refused until syncOptimizer is called', async () => {
    const undisturbed = await secondAfter(() => {});
    await expect(secondAfter((_, pair) => weightNorm(pair, 'first'))).rejects.toMatchObject({
      code: 'NOT_SYNCED',
      message: expect.stringContaining('Call syncOptimizer(optimizer, model.parameters())'),
    });
    const synchronized = await secondAfter((optimizer, pair) => {
      weightNorm(pair, 'first');
      syncOptimizer(optimizer, pair.parameters());
    });
    expect(synchronized).toBeAllClose(undisturbed);
  });
});
