import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { tanh } from '../../ops/smooth.ts';
import { ELEMENTWISE, Elementwise } from './elementwise.ts';

/**
 * Soft thresholding: moves every number towards 0 by λ.
 *
 * `y = x - λ` where `x > λ`, `x + λ` where `x < -λ`, else 0
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order; 0 at ±λ.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Softshrink
 */
export class Softshrink extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Softshrink';

  /** λ, with torch's name. */
  readonly lambd: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if lambd is not a finite number of at least 0
   */
  constructor(lambd = 0.5) {
    super();
    checkNumber('Softshrink', 'lambd', lambd);
    if (lambd < 0) {
      throw refusal(
        'OPTION',
        'Softshrink',
        `lambd is ${lambd}, it must not be negative`,
        'Pass a number of at least 0.',
      );
    }
    this.lambd = lambd;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return tf.sub(tf.relu(tf.sub(x, this.lambd)), tf.relu(tf.sub(-this.lambd, x)));
  }

  override extraRepr(): string {
    return `${this.lambd}`;
  }
}

/**
 * Hard thresholding: replaces numbers near 0 by 0.
 *
 * `y = 0` where `-λ ≤ x ≤ λ`, else `x`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order; 0 at ±λ.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Hardshrink
 */
export class Hardshrink extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Hardshrink';

  /** λ, with torch's name. */
  readonly lambd: number;

  /**
   * @throws {@link ParametrizeError} `OPTION` if lambd is not a finite number
   */
  constructor(lambd = 0.5) {
    super();
    checkNumber('Hardshrink', 'lambd', lambd);
    this.lambd = lambd;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    const atMost = tf.sub(1, tf.step(tf.sub(x, this.lambd)));
    const atLeast = tf.sub(1, tf.step(tf.sub(-this.lambd, x)));
    return tf.mul(x, tf.sub(1, tf.mul(atLeast, atMost)));
  }

  override extraRepr(): string {
    return `${this.lambd}`;
  }
}

/**
 * The difference between x and {@link Tanh}.
 *
 * `y = x - tanh x`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Tanhshrink
 */
export class Tanhshrink extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Tanhshrink';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return tf.sub(x, tanh(x));
  }
}
