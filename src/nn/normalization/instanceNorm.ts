import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { normOptions, RunningNorm } from './runningNorm.ts';

/** Options of {@link InstanceNorm1d} and {@link InstanceNorm2d}. */
export interface InstanceNormOptions {
  /** The number added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** The weight of a batch in the running statistics; null leaves them unchanged. Default 0.1. */
  readonly momentum?: number | null;
  /** True if the layer has a weight and a bias. Default false. */
  readonly affine?: boolean;
  /** True if evaluation uses running statistics instead of the statistics of each instance. Default false. */
  readonly trackRunningStats?: boolean;
}

/** The base class of the instance normalizations of every rank. */
abstract class InstanceNorm extends RunningNorm {
  /** The possible layouts of the input, by its rank; the larger rank has a batch. */
  protected abstract layouts(): Readonly<Record<number, string>>;

  constructor(caller: string, numFeatures: number, options: InstanceNormOptions) {
    const defaults = { eps: 1e-5, momentum: 0.1, affine: false, trackRunningStats: false };
    super(caller, numFeatures, normOptions(caller, options, defaults));
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank or other channels, or one number for each
   * variance
   */
  forward(x: Tensor): Tensor {
    const layouts = this.layouts();
    const spatial = Math.max(...Object.keys(layouts).map(Number)) - 2;
    this.checkInput(x, x.rank - spatial - 1, layouts);
    const size = tf.util.sizeFromShape(x.shape.slice(x.rank - spatial));
    const batch = x.rank === spatial + 2 ? x.shape[0]! : 1;
    const blocks = [batch, this.numFeatures, size];
    if (!this.training) {
      const { running_mean, running_var } = this;
      if (running_mean !== null && running_var !== null) {
        return tf.reshape(
          this.byRunningStatistics(tf.reshape(x, blocks), running_mean, running_var),
          x.shape,
        );
      }
    }
    this.checkCount(x, size);
    return this.byOwnStatistics(x, blocks, [2], ({ mean, variance }) => {
      // As in torch, null does not mean an average over all batches here, and num_batches_tracked stays 0.
      this.updateRunning(tf.mean(mean, 0), tf.mean(variance, 0), size, this.momentum ?? 0);
    });
  }
}

/**
 * Brings each channel of each sequence to mean 0 and variance 1, then scales and shifts it.
 *
 * `y = γ·(x - μ) / √(σ² + ε) + β`, μ and σ² of each channel of each instance over its length
 *
 * @remarks
 * **Shape**: input `[n, numFeatures, length]` or `[numFeatures, length]`; the output has the shape of the input.
 * **State**: with affine `weight` γ (ones) and `bias` β (zeros) `[numFeatures]`; with trackRunningStats buffers
 * `running_mean` (zeros) and `running_var` (ones) `[numFeatures]`, averages over the instances, which each call in
 * training updates once, and `num_batches_tracked`, which stays 0 as in torch.
 * **Gradient**: with respect to input, weight and bias, of any order. The running statistics are constants.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.InstanceNorm1d
 */
export class InstanceNorm1d extends InstanceNorm {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'InstanceNorm1d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if numFeatures is not a positive integer, or an option or its type is
   * unknown
   */
  constructor(numFeatures: number, options: InstanceNormOptions = {}) {
    super('InstanceNorm1d', numFeatures, options);
  }

  protected layouts(): Readonly<Record<number, string>> {
    return { 2: '[channels, length]', 3: '[n, channels, length]' };
  }
}

/**
 * Brings each channel of each image to mean 0 and variance 1, then scales and shifts it.
 *
 * `y = γ·(x - μ) / √(σ² + ε) + β`, μ and σ² of each channel of each instance over its height and width
 *
 * @remarks
 * **Shape**: input `[n, numFeatures, height, width]` or `[numFeatures, height, width]`; the output has the shape of the
 * input.
 * **State**, **Gradient**, **Ownership**: the same as for {@link InstanceNorm1d}.
 *
 * @see torch.nn.InstanceNorm2d
 */
export class InstanceNorm2d extends InstanceNorm {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'InstanceNorm2d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if numFeatures is not a positive integer, or an option or its type is
   * unknown
   */
  constructor(numFeatures: number, options: InstanceNormOptions = {}) {
    super('InstanceNorm2d', numFeatures, options);
  }

  protected layouts(): Readonly<Record<number, string>> {
    return { 3: '[channels, height, width]', 4: '[n, channels, height, width]' };
  }
}
