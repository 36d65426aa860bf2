import * as tf from '@tensorflow/tfjs-core';
import { nn } from 'tfjs-parametrize';
import { classCount } from './loadDigits.ts';

/** How often the one block is applied. */
const depth = 3;

/**
 * A small residual network whose block is applied three times with one weight, so one forward pass reads that weight
 * three times.
 */
export class DigitNet extends nn.Module {
  readonly stem = new nn.Conv2d(1, 12, 5, { stride: 2, padding: 2 });
  readonly reduce = new nn.Conv2d(12, 24, 3, { stride: 2, padding: 1 });
  readonly block = new nn.Conv2d(24, 24, 3, { padding: 1 });
  readonly head = new nn.Linear(24 * 7 * 7, classCount);

  /** `[n, 1, 28, 28]` to the logits of the ten digits, `[n, 10]`. */
  forward(images: tf.Tensor): tf.Tensor {
    let features = tf.relu(this.stem.call(images));
    features = tf.relu(this.reduce.call(features));
    for (let i = 0; i < depth; i++) features = tf.add(features, tf.relu(this.block.call(features)));
    return this.head.call(tf.reshape(features, [features.shape[0]!, -1]));
  }

  /** The layers that have a weight. */
  layers(): (nn.Conv2d | nn.Linear)[] {
    return [this.stem, this.reduce, this.block, this.head];
  }
}
