import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkInteger, checkNumber } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { broadcastParameter } from '../../ops/broadcastParameter.ts';
import { LAYOUT_AWARE, shapeOf, type TensorInLayout, torchLayout } from '../layout/layoutAware.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';

/**
 * A {@link LeakyReLU} with learned slopes: one for all elements, or one for each channel.
 *
 * `y = x` where `x > 0`, else `w·x`
 *
 * @remarks
 * **Shape**: any shape with one parameter, `[n, numParameters, ...]` with several. The output has the shape of the
 * input.
 * **State**: `weight` w `[numParameters]`, filled with `init`.
 * **Gradient**: with respect to input and weight, of any order (`tf.prelu` has no second-order gradient); `w` at 0, as
 * in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const prelu = new PReLU(16);
 * const y = prelu.call(tf.randomNormal([8, 16, 28, 28])); // [8, 16, 28, 28]
 * ```
 * @see He et al. 2015, arXiv:1502.01852. torch.nn.PReLU
 */
export class PReLU extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'PReLU';

  /** The number of slopes: 1, or one for each channel. */
  readonly numParameters: number;
  /** w, `[numParameters]`. */
  weight: Tensor;

  /**
   * @throws {@link ParametrizeError} `OPTION` if numParameters is not a positive integer or init is not a finite number
   */
  constructor(numParameters = 1, init = 0.25) {
    super();
    checkInteger('PReLU', 'numParameters', numParameters);
    checkNumber('PReLU', 'init', init);
    this.numParameters = numParameters;
    this.weight = parameter(() => tf.fill([numParameters], init));
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if there are several parameters and axis 1 of the input has another size
   */
  forward(x: Tensor): Tensor {
    return this[LAYOUT_AWARE](torchLayout(x)).tensor;
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout): TensorInLayout {
    const { tensor, isChannelsLast } = x;
    const positive = tf.step(tensor);
    const slopes = broadcastParameter(this.slopes(shapeOf(x), isChannelsLast), tensor);
    return { tensor: tf.mul(tensor, tf.add(positive, tf.mul(tf.sub(1, positive), slopes))), isChannelsLast };
  }

  override extraRepr(): string {
    return `numParameters=${this.numParameters}`;
  }

  /** Returns the weight in a shape that broadcasts to the shape of the input. */
  private slopes(shape: readonly number[], isChannelsLast: boolean): Tensor {
    if (this.numParameters === 1) return tf.reshape(this.weight, []);
    if (shape[1] !== this.numParameters) {
      throw refusal(
        'SHAPE',
        'PReLU',
        `the input has shape ${formatShape(shape)}, its axis 1 must have ${this.numParameters} (numParameters)`,
        'The input must be [n, channels, ...]: transpose one that has its channels last.',
      );
    }
    return tf.reshape(this.weight, [
      this.numParameters,
      ...(isChannelsLast ? [] : shape.slice(2).map(() => 1)),
    ]);
  }
}
