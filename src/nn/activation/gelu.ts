import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkChoice, checkOptions } from '../../core/checkOptions.ts';
import { erf, tanh } from '../../ops/smooth.ts';
import { ELEMENTWISE, Elementwise } from './elementwise.ts';

/** Options of {@link GELU}. */
export interface GELUOptions {
  /** `'none'` (default) for the exact Φ, `'tanh'` for `½ + ½·tanh(√(2/π)·(x + 0.044715·x³))`. */
  readonly approximate?: 'none' | 'tanh';
}

/**
 * The Gaussian error linear unit.
 *
 * `y = x·Φ(x)`, where Φ is the distribution function of N(0, 1)
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.GELU
 */
export class GELU extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'GELU';

  /** The approximation of Φ. */
  readonly approximate: 'none' | 'tanh';

  /**
   * @throws {@link ParametrizeError} `OPTION` if an option or its value is unknown
   */
  constructor(options: GELUOptions = {}) {
    super();
    checkOptions('GELU', options, ['approximate']);
    const { approximate = 'none' } = options;
    checkChoice('GELU', 'approximate', approximate, ['none', 'tanh']);
    this.approximate = approximate;
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    const doubled =
      this.approximate === 'none'
        ? erf(tf.mul(x, Math.SQRT1_2))
        : tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x))))));
    return tf.mul(tf.mul(0.5, x), tf.add(1, doubled));
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}
