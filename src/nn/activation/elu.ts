import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { elementwise, exp, expm1 } from '../../ops/smooth.ts';
import { ELEMENTWISE, Elementwise } from './elementwise.ts';

/**
 * The exponential linear unit.
 *
 * `y = x` where `x > 0`, else `α·(eˣ - 1)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.elu` has no second-order gradient); `α` at 0, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ELU
 */
export class ELU extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ELU';

  /** α. The output tends to −α for large negative x. */
  readonly alpha: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if alpha is not a finite number
   */
  constructor(alpha = 1) {
    super();
    checkNumber('ELU', 'alpha', alpha);
    this.alpha = alpha;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return elu(x, this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${this.alpha}`;
  }
}

/**
 * An {@link ELU} whose outputs keep mean 0 and variance 1 from layer to layer.
 *
 * `y = s·x` where `x > 0`, else `s·α·(eˣ - 1)`, with s = 1.0507009873554805 and α = 1.6732632423543772
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.selu` has no second-order gradient); `s·α` at 0, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see Klambauer et al. 2017, arXiv:1706.02515. torch.nn.SELU
 */
export class SELU extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'SELU';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return tf.mul(1.0507009873554805, elu(x, 1.6732632423543772));
  }
}

/**
 * An {@link ELU} with a continuous derivative for every α.
 *
 * `y = x` where `x > 0`, else `α·(e^(x/α) - 1)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order; 1 at 0.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see Barron 2017, arXiv:1704.07483. torch.nn.CELU
 */
export class CELU extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'CELU';

  /** α. The output tends to −α for large negative x. */
  readonly alpha: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if alpha is not a finite number other than 0
   */
  constructor(alpha = 1) {
    super();
    checkNumber('CELU', 'alpha', alpha);
    if (alpha === 0)
      throw refusal('OPTION', 'CELU', 'alpha is 0, it must be another number', 'Pass a positive number.');
    this.alpha = alpha;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return elu(x, this.alpha, this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${this.alpha}`;
  }
}

/** `x` where `x > 0`, else `α·(e^(x/width) - 1)` */
function elu(x: Tensor, alpha: number, width = 1): Tensor {
  // The exponential gets min(x, 0), so it cannot overflow in the unused branch.
  const exponent = (input: Tensor): Tensor => tf.div(tf.neg(tf.relu(tf.neg(input))), width);
  return elementwise(
    (input) => tf.add(tf.relu(input), tf.mul(alpha, expm1(exponent(input)))),
    (input) => {
      const positive = tf.step(input);
      return tf.add(positive, tf.mul(tf.sub(1, positive), tf.mul(alpha / width, exp(exponent(input)))));
    },
  )(x);
}
