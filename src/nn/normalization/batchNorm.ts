import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import {
  inTorchLayout,
  LAYOUT_AWARE,
  spatialInputOf,
  type TensorInLayout,
  torchLayout,
} from '../layout/layoutAware.ts';
import { normOptions, RunningNorm } from './runningNorm.ts';

/** Options of {@link BatchNorm1d} and {@link BatchNorm2d}. */
export interface BatchNormOptions {
  /** The number added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** The weight of a batch in the running statistics; null for the plain average over all batches. Default 0.1. */
  readonly momentum?: number | null;
  /** True if the layer has a weight and a bias. Default true. */
  readonly affine?: boolean;
  /**
   * True if the layer keeps running statistics. Otherwise evaluation uses the statistics of the batch. Default true.
   */
  readonly trackRunningStats?: boolean;
}

/** The base class of the batch normalizations of every rank. */
abstract class BatchNorm extends RunningNorm {
  /** The possible layouts of the input, by its rank. */
  protected abstract layouts(): Readonly<Record<number, string>>;

  constructor(caller: string, numFeatures: number, options: BatchNormOptions) {
    const defaults = { eps: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true };
    super(caller, numFeatures, normOptions(caller, options, defaults));
    // Checkpoints from torch before 0.4.1 lack the count; torch keeps its own count then.
    this.registerLoadStateDictPreHook((layer, { state, prefix }) => {
      const count = layer.num_batches_tracked;
      const key = `${prefix}num_batches_tracked`;
      if (count !== null && !state.has(key)) state.set(key, count);
    });
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank or other channels, or has one number for
   * each channel in training
   */
  forward(x: Tensor): Tensor {
    return this[LAYOUT_AWARE](torchLayout(x)).tensor;
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout): TensorInLayout {
    this.checkInput(spatialInputOf(x), 1, this.layouts());
    // In training, the update reads the statistics. So a computed statistic is evaluated once in a call.
    const { running_mean, running_var } = this.training ? noStatistics : this;
    if (running_mean === null || running_var === null) {
      // With channels last, every sum over the other axes would transpose the tensor on wasm.
      return torchLayout(this.byBatch(inTorchLayout(x)));
    }
    const { tensor, isChannelsLast } = x;
    const { shape } = tensor;
    const y = isChannelsLast
      ? this.byRunningStatistics(
          tf.reshape(tensor, rowsOf(shape)),
          running_mean,
          running_var,
          alongRows(shape),
        )
      : this.byRunningStatistics(tf.reshape(tensor, this.blocks(tensor)), running_mean, running_var);
    return { tensor: tf.reshape(y, shape), isChannelsLast };
  }

  /** Normalizes the input by its own statistics. */
  private byBatch(x: Tensor): Tensor {
    const count = x.size / this.numFeatures;
    this.checkCount(x, count);
    return this.byOwnStatistics(x, this.blocks(x), [0, 2], ({ mean, variance }) => {
      if (!this.training) return;
      const batches = this.nextCount();
      this.updateRunning(mean, variance, count, this.factorAfter(batches), batches);
    });
  }

  /** `[n, c, s]` */
  private blocks({ shape: [n, channels, ...size] }: Tensor): number[] {
    return [n!, channels!, tf.util.sizeFromShape(size)];
  }

  /** Returns the number of batches, including this one. */
  private nextCount(): Tensor | null {
    const batches = this.num_batches_tracked;
    return batches === null ? null : tf.add(batches, tf.scalar(1, 'int32'));
  }

  /** Returns the weight of a batch in the running statistics. */
  private factorAfter(batches: Tensor | null): number | Tensor {
    return this.momentum ?? (batches === null ? 0 : tf.div(1, tf.cast(batches, 'float32')));
  }
}

const noStatistics = { running_mean: null, running_var: null };

// With channels last, the numbers of the channels are repeated along a row of the image. Otherwise wasm would broadcast
// few numbers at a time, which takes twice as long.

/** `[n, ..., width, channels]` → `[n · ..., width · channels]` */
const rowsOf = (shape: readonly number[]): number[] => [
  tf.util.sizeFromShape(shape.slice(0, -2)),
  shape.at(-2)! * shape.at(-1)!,
];

/** `[channels]` → `[width · channels]` */
const alongRows =
  (shape: readonly number[]) =>
  (values: Tensor): Tensor =>
    tf.reshape(tf.mul(tf.ones([shape.at(-2)!, 1]), values), [shape.at(-2)! * values.size]);

/**
 * Brings each channel to mean 0 and variance 1 over the batch, then scales and shifts it.
 *
 * `y = γ·(x - μ) / √(σ² + ε) + β`, μ and σ² of each channel over the batch and its length
 *
 * @remarks
 * **Shape**: input `[n, numFeatures]` or `[n, numFeatures, length]`; the output has the shape of the input.
 * **State**: `weight` γ (ones) and `bias` β (zeros) `[numFeatures]`, absent without affine; buffers `running_mean`
 * (zeros) and `running_var` (ones) `[numFeatures]` and `num_batches_tracked` `[]` int32, absent without
 * trackRunningStats. In training each call updates them once: `running = (1 - momentum)·running + momentum·batch`, with
 * the variance divided by n - 1. In evaluation they replace μ and σ².
 * **Gradient**: with respect to input, weight and bias, of any order. The running statistics are constants.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const norm = new BatchNorm1d(16);
 * const y = norm.call(tf.randomNormal([8, 16, 100])); // [8, 16, 100]
 * norm.eval();
 * ```
 * @see torch.nn.BatchNorm1d
 */
export class BatchNorm1d extends BatchNorm {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'BatchNorm1d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if numFeatures is not a positive integer, or an option or its type is
   * unknown
   */
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super('BatchNorm1d', numFeatures, options);
  }

  protected layouts(): Readonly<Record<number, string>> {
    return { 2: '[n, channels]', 3: '[n, channels, length]' };
  }
}

/**
 * Brings each channel of images to mean 0 and variance 1 over the batch, then scales and shifts it.
 *
 * `y = γ·(x - μ) / √(σ² + ε) + β`, μ and σ² of each channel over the batch, height and width
 *
 * @remarks
 * **Shape**: input `[n, numFeatures, height, width]`; the output has the shape of the input.
 * **State**, **Gradient**, **Ownership**: the same as for {@link BatchNorm1d}.
 *
 * @see torch.nn.BatchNorm2d
 */
export class BatchNorm2d extends BatchNorm {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'BatchNorm2d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if numFeatures is not a positive integer, or an option or its type is
   * unknown
   */
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super('BatchNorm2d', numFeatures, options);
  }

  protected layouts(): Readonly<Record<number, string>> {
    return { 4: '[n, channels, height, width]' };
  }
}
