import type { Tensor } from '@tensorflow/tfjs-core';
import { checkBoolean, checkChoice, checkOptions } from '../core/checkOptions.ts';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { mapAxis, type Terms } from '../ops/linearMap/axisMap.ts';
import { checkSpatialInput, perAxis } from './layout/spatialInput.ts';
import { Module } from './module/module.ts';
import { formatSizes, mapPlanes, type Sizes } from './pooling/poolWindow.ts';

/** The interpolation of {@link Upsample}: `'linear'` for sequences, `'bilinear'` for images, `'nearest'` for both. */
export type UpsampleMode = 'nearest' | 'linear' | 'bilinear';

/** Options of {@link Upsample}: either size or scaleFactor; a number applies to every spatial axis. */
export interface UpsampleOptions {
  /** The size of the output. */
  readonly size?: Sizes<readonly number[]> | null;
  /** The size of the output divided by the size of the input; need not be an integer. */
  readonly scaleFactor?: Sizes<readonly number[]> | null;
  /** Default `'nearest'`. */
  readonly mode?: UpsampleMode;
  /**
   * True if the first and last elements of input and output coincide; not allowed with `'nearest'`. Default null, which
   * counts as false.
   */
  readonly alignCorners?: boolean | null;
}

/**
 * Resizes sequences or images.
 *
 * `y[n, c, t] = (1 − λ)·x[n, c, ⌊s⌋] + λ·x[n, c, ⌊s⌋ + 1]` with `s = (t + ½) / scaleFactor − ½` kept inside of the
 * input and `λ = s − ⌊s⌋`, along every axis; with alignCorners, `s = t·(length − 1) / (l − 1)`; `'nearest'` is
 * `y[n, c, t] = x[n, c, ⌊t / scaleFactor⌋]`
 *
 * @remarks
 * **Shape**: input `[n, channels, length]` or `[n, channels, height, width]`; output with `size`, or with
 * `⌊length · scaleFactor⌋` elements.
 * **State**: none.
 * **Gradient**: of any order, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new Upsample({ scaleFactor: 2, mode: 'bilinear' }).call(tf.ones([8, 3, 14, 14])); // [8, 3, 28, 28]
 * ```
 * @see torch.nn.Upsample (over sequences and images)
 */
export class Upsample extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Upsample';

  /** The size of the output, or null. */
  readonly size: Sizes<readonly number[]> | null;
  /** The size of the output divided by the size of the input, or null. */
  readonly scaleFactor: Sizes<readonly number[]> | null;
  /** The interpolation. */
  readonly mode: UpsampleMode;
  /** True if the first and last elements of input and output coincide; null counts as false. */
  readonly alignCorners: boolean | null;

  /**
   * @throws {@link ParametrizeError} `OPTION` unless exactly one of size and scaleFactor is given; if a number is not
   * in its range, alignCorners is given with `'nearest'`, or an option is unknown
   */
  constructor(options: UpsampleOptions) {
    super();
    checkOptions('Upsample', options, ['size', 'scaleFactor', 'mode', 'alignCorners']);
    const { size = null, scaleFactor = null, mode = 'nearest', alignCorners = null } = options;
    checkChoice('Upsample', 'mode', mode, ['nearest', 'linear', 'bilinear']);
    checkTarget(size, scaleFactor);
    if (alignCorners !== null) {
      checkBoolean('Upsample', 'alignCorners', alignCorners);
      if (mode === 'nearest') {
        throw refusal(
          'OPTION',
          'Upsample',
          `alignCorners is ${alignCorners}, but mode is 'nearest', which knows no corners`,
          "Leave it out, or pass the mode 'linear' or 'bilinear'.",
        );
      }
    }
    this.size = size;
    this.scaleFactor = scaleFactor;
    this.mode = mode;
    this.alignCorners = alignCorners;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the rank of the input does not fit the mode or the size, or the output
   * would be empty; `DTYPE` if it is not float32
   */
  forward(x: Tensor): Tensor {
    const rank = rankOf(this, x);
    const size = x.shape.slice(-rank);
    const { mode, alignCorners } = this;
    const factors = this.scaleFactor === null ? null : spread(this.scaleFactor, rank);
    const outputs =
      factors === null
        ? spread(this.size!, rank)
        : size.map((length, axis) => Math.floor(length * factors[axis]!));
    if (outputs.some((length) => length < 1) || size.includes(0)) {
      throw refusal(
        'SHAPE',
        'Upsample',
        `the input has shape ${formatShape(x.shape)}, which gives an output of size ${formatShape(outputs)}`,
        'Pass a larger input.',
      );
    }
    return mapPlanes(x, outputs, (planes) =>
      outputs.reduce((y: Tensor, length, axis) => {
        const [from, factor] = [size[axis]!, factors?.[axis]];
        const terms =
          mode === 'nearest'
            ? nearest(from, length, factor)
            : between(from, length, factor, alignCorners === true);
        return mapAxis(y, axis + 1, terms);
      }, planes),
    );
  }

  override extraRepr(): string {
    const target =
      this.scaleFactor === null
        ? `size=${formatSizes(this.size)}`
        : `scaleFactor=${formatSizes(this.scaleFactor)}`;
    return `${target}, mode='${this.mode}'`;
  }
}

function checkTarget(
  size: Sizes<readonly number[]> | null,
  scaleFactor: Sizes<readonly number[]> | null,
): void {
  if ((size === null) === (scaleFactor === null)) {
    throw refusal(
      'OPTION',
      'Upsample',
      `${size === null ? 'neither size nor scaleFactor is' : 'both size and scaleFactor are'} given`,
      'Pass one of them.',
    );
  }
  const given = size ?? scaleFactor!;
  if (size !== null) perAxis('Upsample', Array.isArray(size) ? size.length : 1, 'size', size);
  for (const factor of Array.isArray(given) ? given : [given]) {
    if (Number.isFinite(factor) && factor > 0) continue;
    throw refusal(
      'OPTION',
      'Upsample',
      `scaleFactor is ${formatSizes(given)}, it must be a positive number, or one for each axis`,
    );
  }
}

/** Returns the number of spatial axes that the options are for. */
function rankOf(layer: Upsample, x: Tensor): number {
  const { mode, size, scaleFactor } = layer;
  const given = size ?? scaleFactor;
  const rank = { nearest: x.rank === 3 ? 1 : 2, linear: 1, bilinear: 2 }[mode];
  const needed = Array.isArray(given) ? given.length : rank;
  if (x.rank !== rank + 2 || needed !== rank) {
    const shapes = ['[n, channels, length]', '[n, channels, height, width]'];
    const allowed =
      mode === 'nearest' ? (Array.isArray(given) ? [shapes[needed - 1]] : shapes) : [shapes[rank - 1]];
    throw refusal(
      'SHAPE',
      'Upsample',
      `the input has shape ${formatShape(x.shape)}, for the mode '${mode}' ${Array.isArray(given) ? `with ${formatSizes(given)} ` : ''}it must be ${allowed.join(' or ')}`,
      'Reshape the input.',
    );
  }
  checkSpatialInput(layer, x, rank);
  return rank;
}

/** Returns a number for each axis. */
const spread = (sizes: Sizes<readonly number[]>, rank: number): readonly number[] =>
  typeof sizes === 'number' ? new Array<number>(rank).fill(sizes) : sizes;

/** Returns the element at or before every output. Rounding is done in float32, as in torch. */
function nearest(length: number, outputs: number, factor: number | undefined): Terms[] {
  const step = Math.fround(factor === undefined ? Math.fround(length) / outputs : 1 / factor);
  return Array.from({ length: outputs }, (_, output): Terms => {
    const index = Math.min(Math.floor(Math.fround(output * step)), length - 1);
    return [[index, 1]];
  });
}

/** Returns the two elements around every output, weighted by their distance. */
function between(
  length: number,
  outputs: number,
  factor: number | undefined,
  alignCorners: boolean,
): Terms[] {
  const aligned = outputs > 1 ? (length - 1) / (outputs - 1) : 0;
  const step = factor === undefined ? length / outputs : 1 / factor;
  return Array.from({ length: outputs }, (_, output): Terms => {
    const place = alignCorners ? output * aligned : Math.max((output + 0.5) * step - 0.5, 0);
    const index = Math.min(Math.floor(place), length - 1);
    const weight = Math.min(place - index, 1);
    return index === length - 1 || weight === 0
      ? [[index, 1]]
      : [
          [index, 1 - weight],
          [index + 1, weight],
        ];
  });
}
