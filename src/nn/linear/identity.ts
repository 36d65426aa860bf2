import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ELEMENTWISE, Elementwise } from '../activation/elementwise.ts';

/**
 * Returns its input. It can replace any layer, and accepts the arguments of that layer.
 *
 * `y = x`
 *
 * @remarks
 * **Shape**: input of any shape; the output has the same.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor on the same data; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const shortcut = stride === 1 ? new Identity() : new Conv2d(3, 8, 1, { stride });
 * ```
 * @see torch.nn.Identity
 */
export class Identity extends Elementwise {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Identity';

  /**
   * @param _unused - the arguments of the replaced layer, which have no effect, as in torch
   */
  constructor(..._unused: unknown[]) {
    super();
  }

  /** @internal */
  [ELEMENTWISE](x: Tensor): Tensor {
    // A new tensor, because x belongs to the caller.
    return tf.reshape(x, x.shape);
  }
}
