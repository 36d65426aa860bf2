import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { checkSpatialInput } from '../layout/spatialInput.ts';
import { Module } from '../module/module.ts';
import { type EdgePaddingMode, padAxes } from './padAxes.ts';
import { edges, type Padding1d, type Padding2d, pairsOfEdges } from './padOptions.ts';

/** The base class of the layers that pad a tensor with its own elements. */
abstract class EdgePad<Edges extends readonly number[]> extends Module {
  /** The number of elements at each edge, the last axis first. */
  readonly padding: Edges;

  protected constructor(padding: Edges) {
    super();
    this.padding = padding;
  }

  /** The content of the padding. */
  protected abstract mode(): EdgePaddingMode;

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank, or is too small to be padded with its own
   * elements; `DTYPE` if it is not float32
   */
  forward(x: Tensor): Tensor {
    const pairs = pairsOfEdges(this.padding);
    checkSpatialInput(this, x, pairs.length);
    return padAxes(typeName(this), x, x.rank - pairs.length, pairs, this.mode());
  }

  override extraRepr(): string {
    return formatShape(this.padding);
  }
}

/**
 * Pads sequences with their mirror image, without repeating the edge.
 *
 * `y[…, i] = x[…, r(i − left)]`, where r mirrors at 0 and at length − 1
 *
 * @remarks
 * **Shape**: input `[n, channels, length]`, or `[channels, length]` without a batch; the output has
 * `left + length + right` elements instead of length; the padding is less than the size.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ReflectionPad1d
 */
export class ReflectionPad1d extends EdgePad<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ReflectionPad1d';

  /**
   * @param padding - `[left, right]`, or one number for both
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer of at least 0
   */
  constructor(padding: Padding1d) {
    super(edges('ReflectionPad1d', 1, padding, 0));
  }

  protected override mode(): EdgePaddingMode {
    return 'reflect';
  }
}

/**
 * Pads images with their mirror image, without repeating the edge.
 *
 * `y[…, i] = x[…, r(i − left)]`, where r mirrors at 0 and at length − 1, and the same for rows
 *
 * @remarks
 * **Shape**: input `[n, channels, height, width]`, or `[channels, height, width]` without a batch; the output has the
 * size `[top + height + bottom, left + width + right]`; the padding is less than the size.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ReflectionPad2d
 */
export class ReflectionPad2d extends EdgePad<readonly [number, number, number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ReflectionPad2d';

  /**
   * @param padding - `[left, right, top, bottom]`, or one number for all
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer of at least 0
   */
  constructor(padding: Padding2d) {
    super(edges('ReflectionPad2d', 2, padding, 0));
  }

  protected override mode(): EdgePaddingMode {
    return 'reflect';
  }
}

/**
 * Pads sequences with their repeated edge.
 *
 * `y[…, i] = x[…, r(i − left)]`, where r keeps to 0 and to length − 1
 *
 * @remarks
 * **Shape**: input `[n, channels, length]`, or `[channels, length]` without a batch; the output has
 * `left + length + right` elements instead of length.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ReplicationPad1d
 */
export class ReplicationPad1d extends EdgePad<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ReplicationPad1d';

  /**
   * @param padding - `[left, right]`, or one number for both
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer of at least 0
   */
  constructor(padding: Padding1d) {
    super(edges('ReplicationPad1d', 1, padding, 0));
  }

  protected override mode(): EdgePaddingMode {
    return 'replicate';
  }
}

/**
 * Pads images with their repeated edge.
 *
 * `y[…, i] = x[…, r(i − left)]`, where r keeps to 0 and to length − 1, and the same for rows
 *
 * @remarks
 * **Shape**: input `[n, channels, height, width]`, or `[channels, height, width]` without a batch; the output has the
 * size `[top + height + bottom, left + width + right]`.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.ReplicationPad2d
 */
export class ReplicationPad2d extends EdgePad<readonly [number, number, number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ReplicationPad2d';

  /**
   * @param padding - `[left, right, top, bottom]`, or one number for all
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer of at least 0
   */
  constructor(padding: Padding2d) {
    super(edges('ReplicationPad2d', 2, padding, 0));
  }

  protected override mode(): EdgePaddingMode {
    return 'replicate';
  }
}

/**
 * Pads sequences with elements from the other end.
 *
 * `y[…, i] = x[…, (i − left) mod length]`
 *
 * @remarks
 * **Shape**: input `[n, channels, length]`, or `[channels, length]` without a batch; the output has
 * `left + length + right` elements instead of length; the padding is at most the size.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.CircularPad1d
 */
export class CircularPad1d extends EdgePad<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'CircularPad1d';

  /**
   * @param padding - `[left, right]`, or one number for both
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer of at least 0
   */
  constructor(padding: Padding1d) {
    super(edges('CircularPad1d', 1, padding, 0));
  }

  protected override mode(): EdgePaddingMode {
    return 'circular';
  }
}

/**
 * Pads images with elements from the other end.
 *
 * `y[…, i] = x[…, (i − left) mod length]`, and the same for rows
 *
 * @remarks
 * **Shape**: input `[n, channels, height, width]`, or `[channels, height, width]` without a batch; the output has the
 * size `[top + height + bottom, left + width + right]`; the padding is at most the size.
 * **State**: none.
 * **Gradient**: of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.CircularPad2d
 */
export class CircularPad2d extends EdgePad<readonly [number, number, number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'CircularPad2d';

  /**
   * @param padding - `[left, right, top, bottom]`, or one number for all
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer of at least 0
   */
  constructor(padding: Padding2d) {
    super(edges('CircularPad2d', 2, padding, 0));
  }

  protected override mode(): EdgePaddingMode {
    return 'circular';
  }
}
