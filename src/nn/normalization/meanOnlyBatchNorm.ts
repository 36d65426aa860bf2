import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkInteger, checkNumber, checkOptions } from '../../core/checkOptions.ts';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { assignFields } from '../module/assignFields.ts';
import { Module } from '../module/module.ts';
import { buffer, parameter } from '../module/parameter.ts';

/** Options of {@link MeanOnlyBatchNorm1d} and {@link MeanOnlyBatchNorm2d}. */
export interface MeanOnlyBatchNormOptions {
  /** The weight of a batch in the running mean; null for the plain average over all batches. Default 0.1. */
  readonly momentum?: number | null;
}

/** The base class of the mean-only batch normalizations of every rank. */
abstract class MeanOnlyBatchNorm extends Module {
  /** Channels of the input. */
  readonly numFeatures: number;
  /** The weight of a batch in the running mean, or null. */
  readonly momentum: number | null;
  /** b, `[numFeatures]`. */
  bias: Tensor;
  /** The running mean, a buffer `[numFeatures]`. */
  running_mean: Tensor;
  /** The number of batches in it, an int32 buffer `[]`. */
  num_batches_tracked: Tensor;

  constructor(caller: string, numFeatures: number, options: MeanOnlyBatchNormOptions) {
    super();
    checkInteger(caller, 'numFeatures', numFeatures);
    checkOptions(caller, options, ['momentum']);
    const { momentum = 0.1 } = options;
    if (momentum !== null) checkNumber(caller, 'momentum', momentum);
    this.numFeatures = numFeatures;
    this.momentum = momentum;
    this.bias = parameter(() => tf.zeros([numFeatures]));
    this.running_mean = buffer(() => tf.zeros([numFeatures]));
    this.num_batches_tracked = buffer(() => tf.scalar(0, 'int32'));
  }

  /** The possible layouts of the input, by its rank. */
  protected abstract layouts(): Readonly<Record<number, string>>;

  /** @throws {@link ParametrizeError} `SHAPE` if the input has another rank or other channels, or no numbers */
  forward(x: Tensor): Tensor {
    const layouts = this.layouts();
    if (layouts[x.rank] === undefined || x.shape[1] !== this.numFeatures || x.size === 0) {
      throw refusal(
        'SHAPE',
        typeName(this),
        `the input has shape ${formatShape(x.shape)}, it must be ${Object.values(layouts).join(' or ')} with ${this.numFeatures} channels (numFeatures) and a batch that is not empty`,
        'Reshape the input, or transpose one that has its channels last.',
      );
    }
    const spread = (values: Tensor): Tensor => tf.reshape(values, [1, this.numFeatures, 1]);
    const blocks = tf.reshape(x, [x.shape[0]!, this.numFeatures, -1]);
    const mean = this.training ? tf.mean(blocks, [0, 2]) : this.running_mean;
    const y = tf.reshape(tf.add(tf.sub(blocks, spread(mean)), spread(this.bias)), x.shape);
    if (this.training) this.follow(mean);
    return y;
  }

  private follow(mean: Tensor): void {
    const batches = tf.add(this.num_batches_tracked, tf.scalar(1, 'int32'));
    const factor = this.momentum ?? tf.div(1, tf.cast(batches, 'float32'));
    assignFields(this, {
      running_mean: tf.add(tf.mul(this.running_mean, tf.sub(1, factor)), tf.mul(mean, factor)),
      num_batches_tracked: batches,
    });
  }

  override extraRepr(): string {
    return `${this.numFeatures}, momentum=${this.momentum}`;
  }
}

/**
 * Takes the mean of each channel over the batch away and adds a bias: batch normalization without the division, for
 * layers whose weights are normalized.
 *
 * `y = x - μ + b`, μ of each channel over the batch and its length
 *
 * @remarks
 * **Shape**: input `[n, numFeatures]` or `[n, numFeatures, length]`; the output has the input's.
 * **State**: `bias` b (zeros) `[numFeatures]`; buffers `running_mean` (zeros) `[numFeatures]` and `num_batches_tracked`
 * `[]` int32. In training each call moves them once: `running = (1 - momentum)·running + momentum·μ`. In evaluation the
 * running mean takes the place of μ.
 * **Gradient**: with respect to input and bias, of any order. In training the gradient for the input has mean zero, as
 * the paper says; none goes through the running mean.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * The layer before needs no bias. Torch has no such layer; names and momentum are those of its batch normalization.
 *
 * @example
 * ```ts
 * const net = new Sequential(weightNorm(new Linear(8, 16, { bias: false })), new MeanOnlyBatchNorm1d(16), new ReLU());
 * ```
 * @see Salimans and Kingma 2016, section 4
 */
export class MeanOnlyBatchNorm1d extends MeanOnlyBatchNorm {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'MeanOnlyBatchNorm1d';

  /** @throws {@link ParametrizeError} `OPTION` if numFeatures is not a positive integer or an option is unknown */
  constructor(numFeatures: number, options: MeanOnlyBatchNormOptions = {}) {
    super('MeanOnlyBatchNorm1d', numFeatures, options);
  }

  protected override layouts(): Readonly<Record<number, string>> {
    return { 2: '[n, channels]', 3: '[n, channels, length]' };
  }
}

/**
 * Takes the mean of each channel over the batch away and adds a bias, for images.
 *
 * `y = x - μ + b`, μ of each channel over the batch and its height and width
 *
 * @remarks
 * **Shape**: input `[n, numFeatures, height, width]`; the output has the input's.
 * **State**, **Gradient**, **Ownership**: as of {@link MeanOnlyBatchNorm1d}.
 *
 * @see Salimans and Kingma 2016, section 4
 */
export class MeanOnlyBatchNorm2d extends MeanOnlyBatchNorm {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'MeanOnlyBatchNorm2d';

  /** @throws {@link ParametrizeError} `OPTION` if numFeatures is not a positive integer or an option is unknown */
  constructor(numFeatures: number, options: MeanOnlyBatchNormOptions = {}) {
    super('MeanOnlyBatchNorm2d', numFeatures, options);
  }

  protected override layouts(): Readonly<Record<number, string>> {
    return { 4: '[n, channels, height, width]' };
  }
}
