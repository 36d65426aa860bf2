import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { mapAxis, type Terms } from '../../ops/linearMap/axisMap.ts';
import { checkSpatialInput, perAxis } from '../layout/spatialInput.ts';
import { Module } from '../module/module.ts';
import { formatSizes, mapPlanes, type Sizes } from './poolWindow.ts';

/** The base class of AdaptiveAvgPool1d and AdaptiveAvgPool2d. */
abstract class AdaptiveAvgPool<Size extends readonly (number | null)[]> extends Module {
  /** The size of the output; null keeps the size of the input. */
  readonly outputSize: number | null | Size;

  protected constructor(caller: string, rank: number, outputSize: number | null | Size) {
    super();
    // null accepts any size.
    const sizes = Array.isArray(outputSize) ? outputSize.map((size) => size ?? 1) : (outputSize ?? 1);
    perAxis(caller, rank, 'outputSize', sizes as Sizes<readonly number[]>);
    this.outputSize = outputSize;
  }

  /** The number of spatial axes. */
  protected abstract rank(): number;

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank; `DTYPE` if it is not float32
   */
  forward(x: Tensor): Tensor {
    const rank = this.rank();
    const { outputSize } = this;
    checkSpatialInput(this, x, rank);
    const size = x.shape.slice(-rank);
    const wanted = Array.isArray(outputSize) ? outputSize : size.map(() => outputSize as number | null);
    const outputs = size.map((length, axis) => (wanted[axis] as number | null) ?? length);
    return mapPlanes(x, outputs, (planes) =>
      outputs.reduce((y: Tensor, parts, axis) => mapAxis(y, axis + 1, meansOf(size[axis]!, parts)), planes),
    );
  }

  override extraRepr(): string {
    return `outputSize=${formatSizes(this.outputSize)}`;
  }
}

/** Returns the map to the means of equal parts, which overlap if the length is not a multiple of their number. */
function meansOf(length: number, parts: number): Terms[] {
  return Array.from({ length: parts }, (_, part): Terms => {
    const begin = Math.floor((part * length) / parts);
    const size = Math.ceil(((part + 1) * length) / parts) - begin;
    return Array.from({ length: size }, (_, i) => [begin + i, 1 / size] as const);
  });
}

/**
 * The means of the parts of a sequence, one part for each output.
 *
 * `y[n, c, t] = mean of x[n, c, ⌊t·length / outputSize⌋ … ⌈(t + 1)·length / outputSize⌉ − 1]`
 *
 * @remarks
 * **Shape**: input `[n, channels, length]`, or `[channels, length]` without a batch; output `[n, channels, outputSize]`
 * or `[channels, outputSize]`.
 * **State**: none.
 * **Gradient**: of any order, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new AdaptiveAvgPool1d(1).call(tf.ones([2, 4, 9])); // [2, 4, 1]
 * ```
 * @see torch.nn.AdaptiveAvgPool1d
 */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool<readonly [number | null]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'AdaptiveAvgPool1d';

  /** @throws {@link ParametrizeError} `OPTION` if the size is not an integer of at least 1 */
  constructor(outputSize: number | null | readonly [number | null]) {
    super('AdaptiveAvgPool1d', 1, outputSize);
  }

  protected override rank(): number {
    return 1;
  }
}

/**
 * The means of the parts of an image, one part for each output pixel.
 *
 * `y[n, c, p, q] = mean of x[n, c, ⌊p·height / h⌋ … ⌈(p + 1)·height / h⌉ − 1, ⌊q·width / w⌋ … ⌈(q + 1)·width / w⌉ − 1]`
 *
 * @remarks
 * **Shape**: input `[n, channels, height, width]`, or `[channels, height, width]` without a batch; output
 * `[n, channels, h, w]` or `[channels, h, w]` with `[h, w] = outputSize`, where null keeps the size of the input.
 * **State**: none.
 * **Gradient**: of any order, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new AdaptiveAvgPool2d([1, null]).call(tf.ones([8, 3, 28, 28])); // [8, 3, 1, 28]
 * ```
 * @see torch.nn.AdaptiveAvgPool2d
 */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool<readonly [number | null, number | null]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'AdaptiveAvgPool2d';

  /**
   * @param outputSize - `[height, width]`, or one number for both
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer of at least 1
   */
  constructor(outputSize: number | null | readonly [number | null, number | null]) {
    super('AdaptiveAvgPool2d', 2, outputSize);
  }

  protected override rank(): number {
    return 2;
  }
}
