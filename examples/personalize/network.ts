import * as tf from '@tensorflow/tfjs-core';
import { nn } from 'tfjs-parametrize';
import { classCount } from '../mnist/digits.ts';

/** A network of two convolutions that halve the image, and two linear layers. */
export class Network extends nn.Module {
  readonly conv1 = new nn.Conv2d(1, 16, 5, { stride: 2, padding: 2 });
  readonly conv2 = new nn.Conv2d(16, 32, 5, { stride: 2, padding: 2 });
  readonly hidden = new nn.Linear(32 * 7 * 7, 256);
  readonly head = new nn.Linear(256, classCount);

  /** `[n, 1, 28, 28]` to the logits of the ten digits, `[n, 10]`. */
  forward(images: tf.Tensor): tf.Tensor {
    const seen = tf.relu(this.conv2.call(tf.relu(this.conv1.call(images))));
    return this.head.call(tf.relu(this.hidden.call(tf.reshape(seen, [images.shape[0]!, -1]))));
  }
}
