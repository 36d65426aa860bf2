import * as tf from '@tensorflow/tfjs-core';
import { nn, weightNorm } from '../../../src/index.ts';

/** Cuts the last steps off, so that a convolution padded by as many on both sides sees the past only. */
class Chomp1d extends nn.Module {
  readonly size: number;

  constructor(size: number) {
    super();
    this.size = size;
  }

  forward(x: tf.Tensor): tf.Tensor {
    return tf.slice(x, [0, 0, 0], [-1, -1, x.shape[2]! - this.size]);
  }
}

/** Two weight-normalized dilated causal convolutions and a shortcut around them. */
class TemporalBlock extends nn.Module {
  conv1: nn.Conv1d;
  conv2: nn.Conv1d;
  chomp: Chomp1d;
  relu = new nn.ReLU();
  dropout: nn.Dropout;
  downsample: nn.Conv1d | null;

  constructor(inChannels: number, outChannels: number, kernelSize: number, dilation: number, p: number) {
    super();
    const padding = (kernelSize - 1) * dilation;
    this.conv1 = weightNorm(new nn.Conv1d(inChannels, outChannels, kernelSize, { padding, dilation }));
    this.conv2 = weightNorm(new nn.Conv1d(outChannels, outChannels, kernelSize, { padding, dilation }));
    this.chomp = new Chomp1d(padding);
    this.dropout = new nn.Dropout(p);
    this.downsample = inChannels === outChannels ? null : new nn.Conv1d(inChannels, outChannels, 1);
  }

  forward(x: tf.Tensor): tf.Tensor {
    let y = x;
    for (const conv of [this.conv1, this.conv2]) {
      y = this.dropout.call(this.relu.call(this.chomp.call(conv.call(y))));
    }
    return this.relu.call(tf.add(y, this.downsample === null ? x : this.downsample.call(x)));
  }
}

/**
 * A temporal convolutional network: blocks whose dilation doubles from one to the next, and a projection of every step.
 *
 * @see Bai et al. 2018, arXiv:1803.01271
 */
export class Tcn extends nn.Module {
  network: nn.Sequential;
  output: nn.Conv1d;

  constructor(inChannels: number, channels: readonly number[], outChannels: number, p: number) {
    super();
    this.network = new nn.Sequential(
      ...channels.map((width, i) => new TemporalBlock(channels[i - 1] ?? inChannels, width, 2, 2 ** i, p)),
    );
    this.output = new nn.Conv1d(channels.at(-1)!, outChannels, 1);
  }

  forward(x: tf.Tensor): tf.Tensor {
    return this.output.call(this.network.call(x));
  }
}
