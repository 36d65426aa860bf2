import * as tf from '@tensorflow/tfjs-core';
import { nn } from 'tfjs-parametrize';
import { classCount, imageSize } from './digits.ts';

const width = 64;

/**
 * A network of linear layers with a ReLU after each but the last, of torch's default initialization. The more layers it
 * has, the less its outputs depend on its inputs.
 */
export class DeepNet extends nn.Module {
  readonly layers: nn.ModuleList<nn.Linear>;

  /** @param depth - the number of linear layers */
  constructor(depth: number) {
    super();
    const sizes = [imageSize, ...Array<number>(depth - 1).fill(width), classCount];
    this.layers = new nn.ModuleList(sizes.slice(1).map((outputs, i) => new nn.Linear(sizes[i]!, outputs)));
  }

  /** `[n, 1, 28, 28]` to the logits of the ten digits, `[n, 10]`. */
  forward(images: tf.Tensor): tf.Tensor {
    let features = tf.reshape(images, [images.shape[0]!, -1]);
    for (const [i, layer] of [...this.layers].entries()) {
      features = layer.call(i === 0 ? features : tf.relu(features));
    }
    return features;
  }
}
