import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { elementwise, sigmoid, softplus } from '../../ops/smooth.ts';
import { ELEMENTWISE, Elementwise } from './elementwise.ts';

/**
 * A smooth {@link ReLU}.
 *
 * `y = x` where `β·x > threshold`, else `ln(1 + e^(β·x)) / β`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order, as in torch. Above the threshold the first derivative is exactly 1, at the threshold it
 * is `σ(β·x)`; in both cases the second is 0.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Softplus
 */
export class Softplus extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Softplus';

  /** β. A larger β is closer to ReLU. */
  readonly beta: number;
  /** The limit of β·x above which the input is returned unchanged. */
  readonly threshold: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if beta is not a finite number other than 0, or threshold is not a finite
   * number
   */
  constructor(beta = 1, threshold = 20) {
    super();
    checkNumber('Softplus', 'beta', beta);
    if (beta === 0)
      throw refusal('OPTION', 'Softplus', 'beta is 0, it must be another number', 'Pass a positive number.');
    checkNumber('Softplus', 'threshold', threshold);
    this.beta = beta;
    this.threshold = threshold;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    const { beta, threshold } = this;
    const scaled = (input: Tensor): Tensor => (beta === 1 ? input : tf.mul(input, beta));
    const curvature = (input: Tensor): Tensor => {
      const below = tf.step(tf.sub(threshold, scaled(input)));
      const y = sigmoid(scaled(input));
      return tf.mul(below, tf.mul(beta, tf.mul(y, tf.sub(1, y))));
    };
    const slope = elementwise(
      (input) => tf.where(tf.greater(scaled(input), threshold), 1, tf.sigmoid(scaled(input))),
      curvature,
    );
    return elementwise((input) => {
      const smooth = tf.div(tf.softplus(scaled(input)), beta);
      return tf.where(tf.greater(scaled(input), threshold), input, smooth);
    }, slope)(x);
  }

  override extraRepr(): string {
    return `beta=${this.beta}, threshold=${this.threshold}`;
  }
}

/**
 * The logarithm of the logistic function.
 *
 * `y = ln σ(x) = -ln(1 + e⁻ˣ)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.LogSigmoid
 */
export class LogSigmoid extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'LogSigmoid';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return tf.neg(softplus(tf.neg(x)));
  }
}
