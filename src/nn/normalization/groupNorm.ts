import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkNumber, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { broadcastParameter } from '../../ops/broadcastParameter.ts';
import { standardize } from '../../ops/norm/standardize.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions {
  /** The number added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** True if the layer has a weight and a bias. Default true. */
  readonly affine?: boolean;
}

/**
 * Brings each group of channels of each item to mean 0 and variance 1, then scales and shifts each channel.
 *
 * `y = γ·(x - μ) / √(σ² + ε) + β`, μ and σ² over the channels of a group and all positions
 *
 * @remarks
 * **Shape**: input `[n, numChannels, ...]`; the output has the shape of the input.
 * **State**: `weight` γ (ones) and `bias` β (zeros) `[numChannels]`, absent without affine.
 * **Gradient**: with respect to input, weight and bias, of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const norm = new GroupNorm(4, 16);
 * const y = norm.call(tf.randomNormal([8, 16, 28, 28])); // [8, 16, 28, 28]
 * ```
 * @see torch.nn.GroupNorm
 */
export class GroupNorm extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'GroupNorm';

  /** The number of groups. */
  readonly numGroups: number;
  /** The number of channels of the input. */
  readonly numChannels: number;
  /** The number added to the variance. */
  readonly eps: number;
  /** True if there are weight and bias. */
  readonly affine: boolean;
  /** γ, `[numChannels]`, or null. */
  weight: Tensor | null;
  /** β, `[numChannels]`, or null. */
  bias: Tensor | null;

  /**
   * @throws {@link ParametrizeError} `OPTION` if a number is not a positive integer, the groups do not divide the
   * channels, or an option is unknown
   */
  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super();
    checkInteger('GroupNorm', 'numGroups', numGroups);
    checkInteger('GroupNorm', 'numChannels', numChannels);
    if (numChannels % numGroups !== 0) {
      throw refusal(
        'OPTION',
        'GroupNorm',
        `numChannels is ${numChannels}, which ${numGroups} groups do not divide`,
        'Pass numGroups that divide numChannels.',
      );
    }
    checkOptions('GroupNorm', options, ['eps', 'affine']);
    const { eps = 1e-5, affine = true } = options;
    checkNumber('GroupNorm', 'eps', eps);
    checkBoolean('GroupNorm', 'affine', affine);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.affine = affine;
    this.weight = affine ? parameter(() => tf.ones([numChannels])) : null;
    this.bias = affine ? parameter(() => tf.zeros([numChannels])) : null;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if axis 1 of the input is not `numChannels`
   */
  forward(x: Tensor): Tensor {
    const [n, channels, ...positions] = x.shape;
    if (n === undefined || channels !== this.numChannels) {
      throw refusal(
        'SHAPE',
        'GroupNorm',
        `the input has shape ${formatShape(x.shape)}, its axis 1 must have ${this.numChannels} (numChannels)`,
        'The input must be [n, channels, ...]: transpose one that has its channels last.',
      );
    }
    const size = tf.util.sizeFromShape(positions);
    const groups = tf.reshape(x, [n * this.numGroups, (channels / this.numGroups) * size]);
    const y = tf.reshape(standardize(groups, [1], this.eps), [n, channels, size]);
    const weight = this.weight;
    const bias = this.bias;
    if (weight === null || bias === null) return tf.reshape(y, x.shape);
    const perChannel = (values: Tensor): Tensor =>
      broadcastParameter(tf.reshape(values, [1, channels, 1]), y);
    return tf.reshape(tf.add(tf.mul(y, perChannel(weight)), perChannel(bias)), x.shape);
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${this.eps}, affine=${this.affine}`;
  }
}
