import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkNumber, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { broadcastParameter } from '../../ops/broadcastParameter.ts';
import { standardize } from '../../ops/norm/standardize.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** The number added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** True if the layer has a weight and a bias. Default true. */
  readonly elementwiseAffine?: boolean;
  /** True if an affine layer has a bias. Default true. */
  readonly bias?: boolean;
}

/**
 * Brings the last axes of each item to mean 0 and variance 1, then scales and shifts each element.
 *
 * `y = γ·(x - μ) / √(σ² + ε) + β`, μ and σ² over the last axes
 *
 * @remarks
 * **Shape**: input `[..., ...normalizedShape]`; the output has the shape of the input.
 * **State**: `weight` γ (ones) and `bias` β (zeros) `normalizedShape`, absent without elementwiseAffine.
 * **Gradient**: with respect to input, weight and bias, of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const norm = new LayerNorm(64);
 * const y = norm.call(tf.randomNormal([8, 10, 64])); // [8, 10, 64]
 * ```
 * @see torch.nn.LayerNorm
 */
export class LayerNorm extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'LayerNorm';

  /** The sizes of the last axes of the input. */
  readonly normalizedShape: readonly number[];
  /** The number added to the variance. */
  readonly eps: number;
  /** True if there is a weight. */
  readonly elementwiseAffine: boolean;
  /** γ, or null. */
  weight: Tensor | null;
  /** β, or null. */
  bias: Tensor | null;

  /**
   * @param normalizedShape - the sizes of the last axes; a number for the last axis only
   * @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer, there are no sizes, or an option is
   * unknown
   */
  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    const shape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    for (const size of shape) checkInteger('LayerNorm', 'a size in normalizedShape', size);
    if (shape.length === 0) {
      throw refusal(
        'OPTION',
        'LayerNorm',
        'normalizedShape is [], it must have at least one size',
        'Pass the size of the last axis.',
      );
    }
    checkOptions('LayerNorm', options, ['eps', 'elementwiseAffine', 'bias']);
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    checkNumber('LayerNorm', 'eps', eps);
    checkBoolean('LayerNorm', 'elementwiseAffine', elementwiseAffine);
    checkBoolean('LayerNorm', 'bias', bias);
    this.normalizedShape = shape;
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? parameter(() => tf.ones(shape)) : null;
    this.bias = elementwiseAffine && bias ? parameter(() => tf.zeros(shape)) : null;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the last axes of the input are not `normalizedShape`
   */
  forward(x: Tensor): Tensor {
    const last = x.shape.slice(-this.normalizedShape.length);
    if (!tf.util.arraysEqual(last, [...this.normalizedShape])) {
      throw refusal(
        'SHAPE',
        'LayerNorm',
        `the input has shape ${formatShape(x.shape)}, its last axes must be ${formatShape(this.normalizedShape)} (normalizedShape)`,
        'Reshape the input, or make the layer with another normalizedShape.',
      );
    }
    const size = tf.util.sizeFromShape(last);
    const rows = standardize(tf.reshape(x, [x.size / size, size]), [1], this.eps);
    const weight = this.weight;
    const bias = this.bias;
    const perElement = (values: Tensor): Tensor => broadcastParameter(tf.reshape(values, [1, size]), rows);
    const scaled = weight === null ? rows : tf.mul(rows, perElement(weight));
    return tf.reshape(bias === null ? scaled : tf.add(scaled, perElement(bias)), x.shape);
  }

  override extraRepr(): string {
    return `${formatShape(this.normalizedShape)}, eps=${this.eps}, elementwiseAffine=${this.elementwiseAffine}`;
  }
}
