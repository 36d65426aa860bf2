import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { sigmoid, softplus, tanh } from '../../ops/smooth.ts';
import { ELEMENTWISE, Elementwise } from './elementwise.ts';

/**
 * The sigmoid linear unit, also called swish.
 *
 * `y = x·σ(x)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.SiLU
 */
export class SiLU extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'SiLU';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return tf.mul(x, sigmoid(x));
  }
}

/**
 * A unit like {@link SiLU} with another gate.
 *
 * `y = x·tanh(ln(1 + eˣ))`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see Misra 2019, arXiv:1908.08681. torch.nn.Mish
 */
export class Mish extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Mish';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return tf.mul(x, tanh(softplus(x)));
  }
}
