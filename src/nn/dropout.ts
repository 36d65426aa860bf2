import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions, checkProbability } from '../core/checkOptions.ts';
import { type ParametrizeError, refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { nextSeed, type SeedSequence, seedSequence } from './init/random.ts';
import { toChannelsLastOrder } from './layout/channelsLast.ts';
import {
  inTorchLayout,
  LAYOUT_AWARE,
  shapeOf,
  type TensorInLayout,
  torchLayout,
} from './layout/layoutAware.ts';
import { Module } from './module/module.ts';

/** Options of {@link Dropout}, {@link Dropout1d} and {@link Dropout2d}. */
export interface DropoutOptions {
  /** Makes the masks of this module reproducible; default: those of `manualSeed`, else random. */
  readonly seed?: number;
}

/** The base class of all kinds of dropout: a probability and a sequence of seeds. */
abstract class RandomMask extends Module {
  /** Probability of an element, or of a channel, to be zeroed. */
  readonly p: number;
  /** @internal */
  readonly seeds: SeedSequence | undefined;

  constructor(caller: string, p: number, options: DropoutOptions) {
    super();
    checkProbability(caller, 'p', p);
    checkOptions(caller, options, ['seed']);
    this.p = p;
    this.seeds = options.seed === undefined ? undefined : seedSequence(caller, options.seed);
  }

  /** The shape of the mask for an input of this shape. */
  protected abstract maskShape(shape: readonly number[]): number[];

  forward(x: Tensor): Tensor {
    return this[LAYOUT_AWARE](torchLayout(x)).tensor;
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout): TensorInLayout {
    const p = this.training ? this.p : 0;
    const mask = this.maskShape(shapeOf(x));
    const hasManyAxes = mask.slice(2).some((size) => size !== 1);
    // A mask is drawn in torch's order. That is any order only if it has no other axes than batch and channels.
    if (x.isChannelsLast && p > 0 && p < 1 && hasManyAxes) {
      return torchLayout(zeroAtRandom(inTorchLayout(x), p, mask, this.seeds));
    }
    const { tensor, isChannelsLast } = x;
    const shape = isChannelsLast ? toChannelsLastOrder(mask) : mask;
    return { tensor: zeroAtRandom(tensor, p, shape, this.seeds), isChannelsLast };
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/**
 * Zeroes each element with probability p while training, and scales the others so that the mean stays.
 *
 * `y = x·m / (1 - p)`, m ∈ {0, 1} with P(m = 0) = p, new in every call; in evaluation `y = x`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none in the state dict. A seed's sequence goes on with each call, and the copy of a module goes on by
 * itself.
 * **Gradient**: of any order, through the mask that was drawn.
 * **Ownership**: `call` returns a new tensor, also in evaluation; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Dropout
 */
export class Dropout extends RandomMask {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Dropout';

  /**
   * @throws {@link ParametrizeError} `OPTION` if p is not from 0 to 1, the seed no integer or an option unknown
   */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('Dropout', p, options);
  }

  protected override maskShape(shape: readonly number[]): number[] {
    return [...shape];
  }
}

/**
 * Zeroes each channel of each sequence with probability p while training, and scales the others.
 *
 * `y = x·m / (1 - p)`, m ∈ {0, 1} one for each channel, with P(m = 0) = p, new in every call; in evaluation `y = x`
 *
 * @remarks
 * **Shape**: input `[n, channels, length]` or `[channels, length]`; the output has the input's.
 * **State**, **Gradient**, **Ownership**: as of {@link Dropout}.
 *
 * @see torch.nn.Dropout1d
 */
export class Dropout1d extends RandomMask {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Dropout1d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if p is not from 0 to 1, the seed no integer or an option unknown
   */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('Dropout1d', p, options);
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank
   */
  protected override maskShape(shape: readonly number[]): number[] {
    if (shape.length !== 2 && shape.length !== 3)
      throw wrongRank('Dropout1d', shape, '[n, channels, length] or [channels, length]');
    return [...shape.slice(0, -1), 1];
  }
}

/**
 * Zeroes each channel of each image with probability p while training, and scales the others.
 *
 * `y = x·m / (1 - p)`, m ∈ {0, 1} one for each channel, with P(m = 0) = p, new in every call; in evaluation `y = x`
 *
 * @remarks
 * **Shape**: input `[n, channels, height, width]` or, as torch reads three axes here, `[n, channels, length]`; the
 * output has the input's.
 * **State**, **Gradient**, **Ownership**: as of {@link Dropout}.
 *
 * @see torch.nn.Dropout2d
 */
export class Dropout2d extends RandomMask {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Dropout2d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if p is not from 0 to 1, the seed no integer or an option unknown
   */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('Dropout2d', p, options);
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank
   */
  protected override maskShape(shape: readonly number[]): number[] {
    const layouts = '[n, channels, height, width] or [n, channels, length]';
    if (shape.length !== 3 && shape.length !== 4) throw wrongRank('Dropout2d', shape, layouts);
    return shape.map((size, axis) => (axis < 2 ? size : 1));
  }
}

/**
 * Multiplies with a mask of zeros, each with probability p, and of 1 / (1 - p).
 *
 * @param shape - of the mask, which is broadcast to x
 * @param seeds - default: those of `manualSeed`
 */
export function zeroAtRandom(x: Tensor, p: number, shape: number[] = x.shape, seeds?: SeedSequence): Tensor {
  // A second tensor on the same data, not x itself, which is not ours to hand over.
  if (p === 0) return tf.reshape(x, x.shape);
  if (p === 1) return tf.mul(x, 0);
  const kept = tf.greaterEqual(tf.randomUniform(shape, 0, 1, 'float32', nextSeed(seeds)), p);
  return tf.mul(x, tf.mul(tf.cast(kept, 'float32'), 1 / (1 - p)));
}

const wrongRank = (caller: string, shape: readonly number[], layouts: string): ParametrizeError =>
  refusal(
    'SHAPE',
    caller,
    `the input has shape ${formatShape(shape)}, it must be ${layouts}`,
    'Reshape the input.',
  );
