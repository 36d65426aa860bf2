import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { elementwise, sigmoid, tanh } from '../../ops/smooth.ts';
import { ELEMENTWISE, Elementwise } from './elementwise.ts';

/**
 * The logistic function.
 *
 * `y = σ(x) = 1 / (1 + e⁻ˣ)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.sigmoid` has no second-order gradient).
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Sigmoid
 */
export class Sigmoid extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Sigmoid';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/**
 * The hyperbolic tangent.
 *
 * `y = tanh x`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.tanh` has no second-order gradient).
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Tanh
 */
export class Tanh extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Tanh';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return tanh(x);
  }
}

/**
 * A sigmoid that approaches its limits slowly.
 *
 * `y = x / (1 + |x|)`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order; the second is 0 at 0, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Softsign
 */
export class Softsign extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Softsign';

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    return softsign(x);
  }
}

// The derivative of tf.abs is -1 at 0, and tf.sign on wasm is 0 for numbers below 1.2e-7.
const abs = elementwise(tf.abs, (x) => tf.sub(tf.step(x), tf.step(tf.neg(x))));

const softsign = elementwise(
  (x) => tf.div(x, tf.add(1, tf.abs(x))),
  (x) => tf.square(tf.reciprocal(tf.add(1, abs(x)))),
);
