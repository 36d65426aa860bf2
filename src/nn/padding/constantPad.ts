import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import type { Pair } from '../../ops/convolution/correlate.ts';
import { Module } from '../module/module.ts';
import { paddedShape } from './padAxes.ts';
import { edges, type Padding1d, type Padding2d, pairsOfEdges } from './padOptions.ts';

/** The base class of the layers that pad with a number. */
abstract class ConstantPad<Edges extends readonly number[]> extends Module {
  /** The number of elements at each edge, the last axis first. */
  readonly padding: Edges;
  /** The value of the padding. */
  readonly value: number;

  protected constructor(padding: Edges, value: number) {
    super();
    this.padding = padding;
    this.value = value;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has too few axes, or cropping would empty an axis
   */
  forward(x: Tensor): Tensor {
    const pairs = pairsOfEdges(this.padding);
    const firstAxis = x.rank - pairs.length;
    const along = x.shape.map((_, axis): Pair => pairs[axis - firstAxis] ?? [0, 0]);
    const begin = along.map(([before]) => Math.max(-before, 0));
    const size = x.shape.map((length, axis) => length - begin[axis]! - Math.max(-along[axis]![1], 0));
    if (firstAxis < 0 || size.slice(firstAxis).some((length) => length < 1)) {
      throw refusal(
        'SHAPE',
        typeName(this),
        `the input has shape ${formatShape(x.shape)}, the padding ${formatShape(this.padding)} needs ${pairs.length} axes and must leave elements`,
        'Pass a larger input.',
      );
    }
    // The cpu backend cannot slice an empty tensor.
    if (x.size === 0) return tf.reshape(x, paddedShape(x.shape, firstAxis, pairs));
    const isCropped = pairs.flat().some((pad) => pad < 0);
    const pads = along.map((pair) => pair.map((pad) => Math.max(pad, 0)) as [number, number]);
    return tf.pad(isCropped ? tf.slice(x, begin, size) : x, pads, this.value);
  }

  override extraRepr(): string {
    return `padding=${formatShape(this.padding)}, value=${this.value}`;
  }
}

/**
 * Pads sequences with a number. A negative size crops.
 *
 * `y[…, i] = x[…, i − left]` inside of x, else `value`
 *
 * @remarks
 * **Shape**: input `[…, length]`; output `[…, left + length + right]`.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ConstantPad1d
 */
export class ConstantPad1d extends ConstantPad<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ConstantPad1d';

  /**
   * @param padding - `[left, right]`, or one number for both
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer, or the value is not a finite number
   */
  constructor(padding: Padding1d, value: number) {
    checkNumber('ConstantPad1d', 'value', value);
    super(edges('ConstantPad1d', 1, padding, Number.MIN_SAFE_INTEGER), value);
  }
}

/**
 * Pads images with a number. A negative size crops.
 *
 * `y[…, i, j] = x[…, i − top, j − left]` inside of x, else `value`
 *
 * @remarks
 * **Shape**: input `[…, height, width]`; output `[…, top + height + bottom, left + width + right]`.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ConstantPad2d
 */
export class ConstantPad2d extends ConstantPad<readonly [number, number, number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ConstantPad2d';

  /**
   * @param padding - `[left, right, top, bottom]`, or one number for all
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer, or the value is not a finite number
   */
  constructor(padding: Padding2d, value: number) {
    checkNumber('ConstantPad2d', 'value', value);
    super(edges('ConstantPad2d', 2, padding, Number.MIN_SAFE_INTEGER), value);
  }
}

/**
 * {@link ConstantPad1d} with zeros.
 *
 * `y[…, i] = x[…, i − left]` inside of x, else 0
 *
 * @remarks
 * **Shape**: input `[…, length]`; output `[…, left + length + right]`.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ZeroPad1d
 */
export class ZeroPad1d extends ConstantPad<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ZeroPad1d';

  /**
   * @param padding - `[left, right]`, or one number for both
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer
   */
  constructor(padding: Padding1d) {
    super(edges('ZeroPad1d', 1, padding, Number.MIN_SAFE_INTEGER), 0);
  }

  /** Returns the padding. The value is always zero. */
  override extraRepr(): string {
    return formatShape(this.padding);
  }
}

/**
 * {@link ConstantPad2d} with zeros.
 *
 * `y[…, i, j] = x[…, i − top, j − left]` inside of x, else 0
 *
 * @remarks
 * **Shape**: input `[…, height, width]`; output `[…, top + height + bottom, left + width + right]`.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ZeroPad2d
 */
export class ZeroPad2d extends ConstantPad<readonly [number, number, number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ZeroPad2d';

  /**
   * @param padding - `[left, right, top, bottom]`, or one number for all
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer
   */
  constructor(padding: Padding2d) {
    super(edges('ZeroPad2d', 2, padding, Number.MIN_SAFE_INTEGER), 0);
  }

  /** Returns the padding. The value is always zero. */
  override extraRepr(): string {
    return formatShape(this.padding);
  }
}
