import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { resolveDim } from '../../core/axes.ts';
import { checkInteger } from '../../core/checkOptions.ts';
import { logSoftmax, softmax } from '../../ops/smooth.ts';
import { Module } from '../module/module.ts';

/**
 * Turns the numbers along one axis into probabilities.
 *
 * `y = eˣ / Σ eˣ`, with the sum over axis `dim`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.softmax` has no second-order gradient).
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Softmax
 */
export class Softmax extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Softmax';

  /** The axis; negative counts from the end. */
  readonly dim: number;

  /** @throws {@link ParametrizeError} `OPTION` if dim is not an integer */
  constructor(dim: number) {
    super();
    this.dim = checkDim('Softmax', dim);
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has no axis `dim`
   */
  forward(x: Tensor): Tensor {
    return overDim('Softmax', softmax, x, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/**
 * Turns the numbers along one axis into logarithms of probabilities.
 *
 * `y = x - ln Σ eˣ`, with the sum over axis `dim`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none.
 * **Gradient**: of any order (`tf.logSoftmax` has no second-order gradient).
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.LogSoftmax
 */
export class LogSoftmax extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'LogSoftmax';

  /** The axis; negative counts from the end. */
  readonly dim: number;

  /** @throws {@link ParametrizeError} `OPTION` if dim is not an integer */
  constructor(dim: number) {
    super();
    this.dim = checkDim('LogSoftmax', dim);
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has no axis `dim`
   */
  forward(x: Tensor): Tensor {
    return overDim('LogSoftmax', logSoftmax, x, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

function checkDim(caller: string, dim: number): number {
  checkInteger(caller, 'dim', dim, Number.MIN_SAFE_INTEGER);
  return dim;
}

/** Applies a function of the last axis to axis `dim`. */
function overDim(caller: string, lastAxis: (x: Tensor) => Tensor, x: Tensor, dim: number): Tensor {
  const axis = resolveDim(caller, 'dim', dim, x.shape);
  const size = x.shape[axis] ?? 1;
  const outer = tf.util.sizeFromShape(x.shape.slice(0, axis));
  const inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
  const blocks = tf.reshape(x, [outer, size, inner]);
  if (inner === 1) return tf.reshape(lastAxis(tf.reshape(blocks, [outer, size])), x.shape);
  const swap = [0, 2, 1];
  return tf.reshape(tf.transpose(lastAxis(tf.transpose(blocks, swap)), swap), x.shape);
}
