import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { resolveDim } from '../../core/axes.ts';
import { checkInteger } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { sigmoid } from '../../ops/smooth.ts';
import { Module } from '../module/module.ts';

/**
 * The gated linear unit: one half of the input gates the other half.
 *
 * `y = a·σ(b)`, where a and b are the halves of the input along axis `dim`
 *
 * @remarks
 * **Shape**: any shape with an even size of axis `dim`; the output has half that size.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new GLU(1).call(tf.ones([2, 6, 5])); // [2, 3, 5]
 * ```
 * @see Dauphin et al. 2017, arXiv:1612.08083. torch.nn.GLU
 */
export class GLU extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'GLU';

  /** The axis; negative counts from the end. */
  readonly dim: number;

  /** @throws {@link ParametrizeError} `OPTION` if dim is not an integer */
  constructor(dim = -1) {
    super();
    checkInteger('GLU', 'dim', dim, Number.MIN_SAFE_INTEGER);
    this.dim = dim;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has no axis `dim`, or its size is odd
   */
  forward(x: Tensor): Tensor {
    const axis = resolveDim('GLU', 'dim', this.dim, x.shape);
    // A scalar has one number, which cannot be halved.
    const size = x.shape[axis] ?? 1;
    if (size % 2 !== 0) {
      throw refusal(
        'SHAPE',
        'GLU',
        `the input has shape ${formatShape(x.shape)}, its axis ${axis} has size ${size}, which must be even`,
        'Pass an input with an even axis, or another dim.',
      );
    }
    const [values, gates] = tf.split(x, 2, axis) as [Tensor, Tensor];
    return tf.mul(values, sigmoid(gates));
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}
