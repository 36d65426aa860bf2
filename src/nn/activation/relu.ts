import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '../../core/checkOptions.ts';
import { elementwise } from '../../ops/smooth.ts';
import { ELEMENTWISE, Elementwise } from './elementwise.ts';

/**
 * The positive part.
 *
 * `y = max(x, 0)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order; 0 at 0.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ReLU
 */
export class ReLU extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ReLU';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return tf.relu(x);
  }
}

/**
 * A {@link ReLU} that lets a fraction of the negative part through.
 *
 * `y = x` where `x > 0`, else `negativeSlope·x`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.leakyRelu` has no second-order gradient); `negativeSlope` at 0, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.LeakyReLU
 */
export class LeakyReLU extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'LeakyReLU';

  /** The slope of the negative part. */
  readonly negativeSlope: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if the slope is not a finite number
   */
  constructor(negativeSlope = 0.01) {
    super();
    checkNumber('LeakyReLU', 'negativeSlope', negativeSlope);
    this.negativeSlope = negativeSlope;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    const slope = this.negativeSlope;
    return elementwise(
      (input) => tf.leakyRelu(input, slope),
      (input) => tf.step(input, slope),
    )(x);
  }

  override extraRepr(): string {
    return `negativeSlope=${this.negativeSlope}`;
  }
}

/**
 * Replaces elements that are not above a threshold.
 *
 * `y = x` where `x > threshold`, else `value`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order; 0 at the threshold.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Threshold
 */
export class Threshold extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Threshold';

  /** The threshold. Elements at or below it are replaced. */
  readonly threshold: number;
  /** The replacement. */
  readonly value: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if threshold or value is not a finite number
   */
  constructor(threshold: number, value: number) {
    super();
    checkNumber('Threshold', 'threshold', threshold);
    checkNumber('Threshold', 'value', value);
    this.threshold = threshold;
    this.value = value;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return elementwise(
      // A product with the derivative would be NaN for infinity times 0.
      (input) => tf.where(tf.lessEqual(input, this.threshold), this.value, input),
      (input) => tf.step(tf.sub(input, this.threshold)),
    )(x);
  }

  override extraRepr(): string {
    return `threshold=${this.threshold}, value=${this.value}`;
  }
}
