import * as tf from '@tensorflow/tfjs-core';
import { nn } from 'tfjs-parametrize';

/** The size of a generator, with the names of HiFi-GAN's configuration. */
export interface GeneratorSize {
  /** Bands of the input. */
  readonly bands: number;
  /** Channels after the first convolution; each upsampling halves them. */
  readonly upsampleInitialChannel: number;
  /** The samples of a frame are the product of these. */
  readonly upsampleRates: readonly number[];
  readonly upsampleKernelSizes: readonly number[];
  /** Each upsampling is followed by one block of each kernel size. */
  readonly resblockKernelSizes: readonly number[];
  readonly resblockDilations: readonly number[];
}

/** HiFi-GAN's form at a width at which it trains in seconds; V1 has 80 bands, 512 channels and four upsamplings. */
export const tiny: GeneratorSize = {
  bands: 16,
  upsampleInitialChannel: 32,
  upsampleRates: [8, 8],
  upsampleKernelSizes: [16, 16],
  resblockKernelSizes: [3, 7],
  resblockDilations: [1, 3, 5],
};

/** The size of the generator in `test/golden/hifi_gan/generator.pt`, which PyTorch has saved. */
export const smallest: GeneratorSize = {
  bands: 4,
  upsampleInitialChannel: 8,
  upsampleRates: [8, 8],
  upsampleKernelSizes: [16, 16],
  resblockKernelSizes: [3],
  resblockDilations: [1, 3],
};

const slope = 0.1;

/** A residual block of dilated convolutions, each followed by one without dilation. */
class ResBlock extends nn.Module {
  readonly convs1: nn.ModuleList<nn.Conv1d>;
  readonly convs2: nn.ModuleList<nn.Conv1d>;

  constructor(channels: number, kernelSize: number, dilations: readonly number[]) {
    super();
    const conv = (dilation: number): nn.Conv1d =>
      new nn.Conv1d(channels, channels, kernelSize, { dilation, padding: (dilation * (kernelSize - 1)) / 2 });
    this.convs1 = new nn.ModuleList(dilations.map(conv));
    this.convs2 = new nn.ModuleList(dilations.map(() => conv(1)));
  }

  forward(x: tf.Tensor): tf.Tensor {
    for (const [i, dilated] of [...this.convs1].entries()) {
      const y = dilated.call(tf.leakyRelu(x, slope));
      x = tf.add(x, this.convs2.at(i).call(tf.leakyRelu(y, slope)));
    }
    return x;
  }
}

/**
 * HiFi-GAN's generator, from the bands of frames to samples. Its fields have the names of the original, so it has the
 * keys of a file of it.
 *
 * @see Kong et al. 2020, arXiv:2010.05646
 */
export class Generator extends nn.Module {
  readonly conv_pre: nn.Conv1d;
  readonly ups: nn.ModuleList<nn.ConvTranspose1d>;
  readonly resblocks: nn.ModuleList<ResBlock>;
  readonly conv_post: nn.Conv1d;

  constructor(size: GeneratorSize) {
    super();
    const { bands, upsampleInitialChannel, upsampleRates, upsampleKernelSizes, resblockKernelSizes } = size;
    const channelsAfter = (upsamplings: number): number => upsampleInitialChannel / 2 ** upsamplings;
    this.conv_pre = new nn.Conv1d(bands, upsampleInitialChannel, 7, { padding: 3 });
    this.ups = new nn.ModuleList(
      upsampleRates.map((stride, i) => {
        const kernelSize = upsampleKernelSizes[i]!;
        const padding = (kernelSize - stride) / 2;
        return new nn.ConvTranspose1d(channelsAfter(i), channelsAfter(i + 1), kernelSize, {
          stride,
          padding,
        });
      }),
    );
    this.resblocks = new nn.ModuleList(
      upsampleRates.flatMap((_, i) =>
        resblockKernelSizes.map(
          (kernelSize) => new ResBlock(channelsAfter(i + 1), kernelSize, size.resblockDilations),
        ),
      ),
    );
    this.conv_post = new nn.Conv1d(channelsAfter(upsampleRates.length), 1, 7, { padding: 3 });
  }

  /** `[n, bands, frames]` to samples between −1 and 1, `[n, 1, samples]`. */
  forward(frames: tf.Tensor): tf.Tensor {
    let x = this.conv_pre.call(frames);
    const blocks = [...this.resblocks];
    const blocksEach = blocks.length / [...this.ups].length;
    for (const [i, up] of [...this.ups].entries()) {
      x = up.call(tf.leakyRelu(x, slope));
      const outputs = blocks.slice(i * blocksEach, (i + 1) * blocksEach).map((block) => block.call(x));
      x = tf.div(tf.addN(outputs), blocksEach);
    }
    return tf.tanh(this.conv_post.call(tf.leakyRelu(x, 0.01)));
  }
}
