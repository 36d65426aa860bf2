import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../errors.ts';
import { elementwise, exp, expm1, sigmoid, softplus, tanh } from '../linalg/smooth.ts';
import { Module } from './module.ts';
import { checkNumber } from './options.ts';

/**
 * The positive part.
 *
 * `y = max(x, 0)`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none.
 * **Gradient**: of any order; 0 at 0.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ReLU
 */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return tf.relu(x);
  }
}

/**
 * The hyperbolic tangent.
 *
 * `y = tanh x`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none.
 * **Gradient**: of any order (`tf.tanh` has no second).
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Tanh
 */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/**
 * The logistic function.
 *
 * `y = σ(x) = 1 / (1 + e⁻ˣ)`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none.
 * **Gradient**: of any order (`tf.sigmoid` has no second).
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Sigmoid
 */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/**
 * A smooth {@link ReLU}.
 *
 * `y = ln(1 + e^(β·x)) / β`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * torch's threshold, above which it returns x, is not needed: tfjs's softplus does not overflow.
 *
 * @see torch.nn.Softplus
 */
export class Softplus extends Module {
  /** β; the larger, the closer to ReLU. */
  readonly beta: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if beta is not a finite number other than 0
   */
  constructor(beta = 1) {
    super();
    checkNumber('Softplus', 'beta', beta);
    if (beta === 0)
      throw new ParametrizeError('OPTION', 'Softplus: beta is 0, it must not be. Pass a positive number.');
    this.beta = beta;
  }

  forward(x: Tensor): Tensor {
    return this.beta === 1 ? softplus(x) : tf.div(softplus(tf.mul(x, this.beta)), this.beta);
  }

  override extraRepr(): string {
    return `beta=${this.beta}`;
  }
}

/**
 * The sigmoid linear unit, also called swish.
 *
 * `y = x·σ(x)`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.SiLU
 */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return tf.mul(x, sigmoid(x));
  }
}

/**
 * A {@link ReLU} that lets a fraction of the negative part through.
 *
 * `y = x` where `x > 0`, else `negativeSlope·x`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none.
 * **Gradient**: of any order (`tf.leakyRelu` has no second); `negativeSlope` at 0, as torch's.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.LeakyReLU
 */
export class LeakyReLU extends Module {
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

  forward(x: Tensor): Tensor {
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
 * The exponential linear unit.
 *
 * `y = x` where `x > 0`, else `α·(eˣ - 1)`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none.
 * **Gradient**: of any order (`tf.elu` has no second); `α` at 0, as torch's.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ELU
 */
export class ELU extends Module {
  /** α: minus the limit for large negative x. */
  readonly alpha: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if alpha is not a finite number
   */
  constructor(alpha = 1) {
    super();
    checkNumber('ELU', 'alpha', alpha);
    this.alpha = alpha;
  }

  forward(x: Tensor): Tensor {
    // The exponential gets min(x, 0): it must not overflow in the branch that is not taken.
    const negativePart = (input: Tensor) => tf.neg(tf.relu(tf.neg(input)));
    return elementwise(
      (input) => tf.add(tf.relu(input), tf.mul(this.alpha, expm1(negativePart(input)))),
      (input) => {
        const positive = tf.step(input);
        return tf.add(positive, tf.mul(tf.sub(1, positive), tf.mul(this.alpha, exp(negativePart(input)))));
      },
    )(x);
  }

  override extraRepr(): string {
    return `alpha=${this.alpha}`;
  }
}
