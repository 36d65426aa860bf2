import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkNumber, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { broadcastParameter } from '../../ops/broadcastParameter.ts';
import { type Moments, moments, standardize } from '../../ops/norm/standardize.ts';
import type { SpatialInput } from '../layout/spatialInput.ts';
import { assignFields } from '../module/assignFields.ts';
import { Module } from '../module/module.ts';
import { buffer, parameter } from '../module/parameter.ts';

/** The options with every default filled in. */
export interface ResolvedNormOptions {
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
}

/**
 * The base class of batch and instance normalization: a scale and a shift for each channel, and running statistics,
 * which evaluation uses instead of the statistics of the input.
 */
export abstract class RunningNorm extends Module {
  /** The number of channels of the input. */
  readonly numFeatures: number;
  /** The number added to the variance. */
  readonly eps: number;
  /** The weight of new statistics in the running statistics, or null. */
  readonly momentum: number | null;
  /** True if there are weight and bias. */
  readonly affine: boolean;
  /** True if there are running statistics. */
  readonly trackRunningStats: boolean;
  /** γ, `[numFeatures]`, or null. */
  weight: Tensor | null;
  /** β, `[numFeatures]`, or null. */
  bias: Tensor | null;
  /** The running mean, a buffer `[numFeatures]`, or null. */
  running_mean: Tensor | null;
  /** The running variance, a buffer `[numFeatures]`, or null. */
  running_var: Tensor | null;
  /** The number of updates, an int32 buffer `[]`, or null. */
  num_batches_tracked: Tensor | null;

  protected constructor(caller: string, numFeatures: number, options: ResolvedNormOptions) {
    super();
    checkInteger(caller, 'numFeatures', numFeatures);
    const { eps, momentum, affine, trackRunningStats } = options;
    checkNumber(caller, 'eps', eps);
    if (momentum !== null) checkNumber(caller, 'momentum', momentum);
    checkBoolean(caller, 'affine', affine);
    checkBoolean(caller, 'trackRunningStats', trackRunningStats);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = trackRunningStats;
    this.weight = affine ? parameter(() => tf.ones([numFeatures])) : null;
    this.bias = affine ? parameter(() => tf.zeros([numFeatures])) : null;
    this.running_mean = trackRunningStats ? buffer(() => tf.zeros([numFeatures])) : null;
    this.running_var = trackRunningStats ? buffer(() => tf.ones([numFeatures])) : null;
    this.num_batches_tracked = trackRunningStats ? buffer(() => tf.scalar(0, 'int32')) : null;
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, affine, trackRunningStats } = this;
    return `${numFeatures}, eps=${eps}, momentum=${momentum}, affine=${affine}, trackRunningStats=${trackRunningStats}`;
  }

  /**
   * Normalizes an input as blocks `[n, c, s]` by its own statistics over these axes. `track` gets them when nothing
   * else can fail.
   */
  protected byOwnStatistics(
    input: Tensor,
    blocks: number[],
    axes: readonly number[],
    track?: (own: Moments) => void,
  ): Tensor {
    const x = tf.reshape(input, blocks);
    const own = moments(x, axes);
    const standard = standardize(x, axes, this.eps, own);
    const weight = this.weight;
    const bias = this.bias;
    const scaled =
      weight === null || bias === null
        ? standard
        : scaledAndShifted(standard, perChannel(weight), perChannel(bias));
    const y = tf.reshape(scaled, input.shape);
    track?.(own);
    return y;
  }

  /**
   * Normalizes the input by the running statistics: one scale and one shift for each channel.
   *
   * @param x - `[n, c, s]`, or a tensor that numbers of the channels broadcast to after `spread`
   */
  protected byRunningStatistics(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    spread: (values: Tensor) => Tensor = perChannel,
  ): Tensor {
    const weight = this.weight ?? tf.onesLike(mean);
    const bias = this.bias ?? tf.zerosLike(mean);
    const scale = tf.div(weight, tf.sqrt(tf.add(variance, this.eps)));
    const shift = tf.sub(bias, tf.mul(mean, scale));
    return scaledAndShifted(x, spread(scale), spread(shift));
  }

  /**
   * Moves the running statistics, if they exist, towards these, which were computed from `count` numbers each. Writes
   * all or none.
   *
   * @param batches - the new num_batches_tracked; null leaves it unchanged
   */
  protected updateRunning(
    mean: Tensor,
    variance: Tensor,
    count: number,
    factor: number | Tensor,
    batches: Tensor | null = null,
  ): void {
    const { running_mean, running_var } = this;
    if (running_mean === null || running_var === null) return;
    const moved = (running: Tensor, value: Tensor): Tensor =>
      tf.add(tf.mul(running, tf.sub(1, factor)), tf.mul(tf.reshape(value, running.shape), factor));
    assignFields(this, {
      running_mean: moved(running_mean, mean),
      running_var: moved(running_var, tf.mul(variance, count / (count - 1))),
      ...(batches === null ? {} : { num_batches_tracked: batches }),
    });
  }

  /** Refuses an input without `numFeatures` channels in axis `axis`, or of another rank. */
  protected checkInput(x: SpatialInput, axis: number, layouts: Readonly<Record<number, string>>): void {
    if (layouts[x.rank] === undefined) {
      throw refusal(
        'SHAPE',
        typeName(this),
        `the input has shape ${formatShape(x.shape)}, it must be ${Object.values(layouts).join(' or ')}`,
        'Reshape the input.',
      );
    }
    if (x.shape[axis] !== this.numFeatures) {
      throw refusal(
        'SHAPE',
        typeName(this),
        `the input has shape ${formatShape(x.shape)}, that is ${x.shape[axis]} channels, but numFeatures is ${this.numFeatures}`,
        `The input must be ${layouts[x.rank]}: transpose one that has its channels last.`,
      );
    }
  }

  /** Refuses to compute the variance of a single number. */
  protected checkCount(x: Tensor, count: number): void {
    if (count > 1) return;
    throw refusal(
      'SHAPE',
      typeName(this),
      `the input has shape ${formatShape(x.shape)}, that is ${count} numbers for each variance, and it needs at least 2`,
      'Pass more, or call eval() first to use the running statistics.',
    );
  }
}

const perChannel = (values: Tensor): Tensor => tf.reshape(values, [1, values.size, 1]);

const scaledAndShifted = (x: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  tf.add(tf.mul(x, broadcastParameter(scale, x)), broadcastParameter(shift, x));

/** Fills in the defaults. */
export function normOptions(
  caller: string,
  options: Partial<ResolvedNormOptions>,
  defaults: ResolvedNormOptions,
): ResolvedNormOptions {
  checkOptions(caller, options, Object.keys(defaults));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}
