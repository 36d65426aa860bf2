import * as tf from '@tensorflow/tfjs-core';
import { nn, weightNorm } from 'tfjs-parametrize';
import { parametrized } from 'tfjs-parametrize/decorators';

/**
 * A block of a temporal convolutional network: two dilated causal convolutions with weight normalization, and the input
 * added to their output.
 *
 * `y = relu(x + relu(conv₂(relu(conv₁(x)))))`
 *
 * Compiles with standard and with legacy decorators. The convolutions are made in the constructor, from its arguments.
 *
 * @source Bai, Kolter & Koltun 2018, arXiv:1803.01271, figure 1
 */
export class TcnBlock extends nn.Module {
  readonly pad: nn.ZeroPad1d;
  @parametrized(weightNorm, { dim: 0 }) conv1: nn.Conv1d;
  @parametrized(weightNorm, { dim: 0 }) conv2: nn.Conv1d;

  constructor(channels: number, kernelSize: number, dilation: number) {
    super();
    // All of it on the left: an output sees no later input.
    this.pad = new nn.ZeroPad1d([(kernelSize - 1) * dilation, 0]);
    this.conv1 = new nn.Conv1d(channels, channels, kernelSize, { dilation });
    this.conv2 = new nn.Conv1d(channels, channels, kernelSize, { dilation });
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const hidden = tf.relu(this.conv1.call(this.pad.call(x)));
    return tf.relu(tf.add(x, tf.relu(this.conv2.call(this.pad.call(hidden)))));
  }
}

/** Blocks that see 1, 2, 4, … steps back, between a lift to many channels and a sum over them. */
export class Tcn extends nn.Module {
  @parametrized(weightNorm) lift: nn.Conv1d;
  readonly blocks: nn.Sequential;
  @parametrized(weightNorm) sum: nn.Conv1d;

  constructor(channels: number, depth: number) {
    super();
    this.lift = new nn.Conv1d(1, channels, 1);
    this.blocks = new nn.Sequential(
      ...Array.from({ length: depth }, (_, i) => new TcnBlock(channels, 2, 2 ** i)),
    );
    this.sum = new nn.Conv1d(channels, 1, 1);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.sum.call(this.blocks.call(this.lift.call(x)));
  }
}
