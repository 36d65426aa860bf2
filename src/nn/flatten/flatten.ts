import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { resolveDim } from '../../core/axes.ts';
import { checkInteger } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { Module } from '../module/module.ts';

/**
 * Merges adjacent axes into one.
 *
 * @remarks
 * **Shape**: input `[…, d₀, …, dₙ, …]`; output `[…, d₀·…·dₙ, …]`, where d₀ is axis `startDim` and dₙ axis `endDim`.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor on the same data; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Flatten
 */
export class Flatten extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Flatten';

  /** The first merged axis; negative counts from the end. */
  readonly startDim: number;
  /** The last merged axis. */
  readonly endDim: number;

  /** @throws {@link ParametrizeError} `OPTION` if an axis is not an integer */
  constructor(startDim = 1, endDim = -1) {
    super();
    checkInteger('Flatten', 'startDim', startDim, Number.MIN_SAFE_INTEGER);
    checkInteger('Flatten', 'endDim', endDim, Number.MIN_SAFE_INTEGER);
    this.startDim = startDim;
    this.endDim = endDim;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input lacks an axis, or `startDim` comes after `endDim`
   */
  forward(x: Tensor): Tensor {
    const start = resolveDim('Flatten', 'startDim', this.startDim, x.shape);
    const end = resolveDim('Flatten', 'endDim', this.endDim, x.shape);
    if (start > end) {
      throw refusal(
        'SHAPE',
        'Flatten',
        `startDim ${this.startDim} lies behind endDim ${this.endDim} in an input of shape ${formatShape(x.shape)}`,
        'Swap them.',
      );
    }
    const merged = tf.util.sizeFromShape(x.shape.slice(start, end + 1));
    return tf.reshape(x, [...x.shape.slice(0, start), merged, ...x.shape.slice(end + 1)]);
  }

  override extraRepr(): string {
    return `startDim=${this.startDim}, endDim=${this.endDim}`;
  }
}
