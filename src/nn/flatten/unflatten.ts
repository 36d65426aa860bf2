import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { resolveDim } from '../../core/axes.ts';
import { checkInteger } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { Module } from '../module/module.ts';

/**
 * Splits one axis into several.
 *
 * @remarks
 * **Shape**: input `[…, d, …]`, with d at axis `dim`; output `[…, d₀, …, dₙ, …]`, where `d = d₀·…·dₙ`.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor on the same data; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new Unflatten(1, [2, -1]).call(tf.ones([5, 6])); // [5, 2, 3]
 * ```
 * @see torch.nn.Unflatten
 */
export class Unflatten extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Unflatten';

  /** The axis that is split; negative counts from the end. */
  readonly dim: number;
  /** The sizes of the new axes. A size of -1 is computed from the others. */
  readonly unflattenedSize: readonly number[];

  /**
   * @throws {@link ParametrizeError} `OPTION` if the axis is not an integer, there are no sizes, a size is not an
   * integer or is less than -1, or several sizes are -1
   */
  constructor(dim: number, unflattenedSize: readonly number[]) {
    super();
    checkInteger('Unflatten', 'dim', dim, Number.MIN_SAFE_INTEGER);
    checkSizes(unflattenedSize);
    this.dim = dim;
    this.unflattenedSize = [...unflattenedSize];
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input lacks the axis, or the product of the sizes is not its size
   */
  forward(x: Tensor): Tensor {
    const { unflattenedSize: sizes } = this;
    const dim = resolveDim('Unflatten', 'dim', this.dim, x.shape);
    // A scalar counts as having one axis, which cannot be split.
    const size = x.shape[dim] ?? Number.NaN;
    const known = tf.util.sizeFromShape(sizes.filter((part) => part !== -1));
    // For an empty axis, a size of 0 leaves the computed size undetermined.
    const fits = sizes.includes(-1) ? known !== 0 && size % known === 0 : known === size;
    if (!fits) {
      throw refusal(
        'SHAPE',
        'Unflatten',
        `the sizes ${formatShape(sizes)} do not multiply up to axis ${this.dim} of an input of shape ${formatShape(x.shape)}`,
        'Pass sizes whose product is the size of the axis, or -1 for one of them.',
      );
    }
    const parts = sizes.map((part) => (part === -1 ? size / known : part));
    return tf.reshape(x, [...x.shape.slice(0, dim), ...parts, ...x.shape.slice(dim + 1)]);
  }

  override extraRepr(): string {
    const sizes = this.unflattenedSize;
    return `dim=${this.dim}, unflattenedSize=(${sizes.join(', ')}${sizes.length === 1 ? ',' : ''})`;
  }
}

function checkSizes(sizes: readonly number[]): void {
  if (!Array.isArray(sizes) || sizes.length === 0) {
    throw refusal(
      'OPTION',
      'Unflatten',
      `unflattenedSize is ${Array.isArray(sizes) ? '[]' : String(sizes)}, it must be an array of at least one size`,
      'Pass [2, 3] to split an axis of 6.',
    );
  }
  for (const size of sizes) checkInteger('Unflatten', 'a size of unflattenedSize', size, -1);
  if (sizes.filter((size) => size === -1).length <= 1) return;
  throw refusal(
    'OPTION',
    'Unflatten',
    `unflattenedSize is ${formatShape(sizes)}, only one size can be computed from the others`,
    'Pass -1 once.',
  );
}
