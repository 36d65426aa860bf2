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
  /** The seed of the masks of this module. By default the masks follow `manualSeed`, or are random without it. */
  readonly seed?: number;
}

/** The base class of all kinds of dropout. It has a probability and a sequence of seeds. */
abstract class RandomMask extends Module {
  /** The probability that an element or a channel is zeroed. */
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

  /** Returns the shape of the mask for an input of this shape. */
  protected abstract maskShape(shape: readonly number[]): number[];

  forward(x: Tensor): Tensor {
    return this[LAYOUT_AWARE](torchLayout(x)).tensor;
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout): TensorInLayout {
    const p = this.training ? this.p : 0;
    const mask = this.maskShape(shapeOf(x));
    const hasManyAxes = mask.slice(2).some((size) => size !== 1);
    // A mask is drawn in torch's order. The order does not matter if the mask has only the axes batch and channels.
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
 * Zeroes each element with probability p in training, and scales the others so that the mean stays.
 *
 * `y = x·m / (1 - p)` with a new mask m ∈ {0, 1} in every call, P(m = 0) = p; in evaluation `y = x`
 *
 * @remarks
 * **Shape**: any; the output has the shape of the input.
 * **State**: none in the state dict. Each call advances the sequence of the seed. A copy of a module advances
 * independently.
 * **Gradient**: of any order, with the mask as a constant.
 * **Ownership**: `call` returns a new tensor, even in evaluation; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Dropout
 */
export class Dropout extends RandomMask {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Dropout';

  /**
   * @throws {@link ParametrizeError} `OPTION` if p is not from 0 to 1, the seed is not an integer, or an option is
   * unknown
   */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('Dropout', p, options);
  }

  protected override maskShape(shape: readonly number[]): number[] {
    return [...shape];
  }
}

/**
 * Zeroes each channel of each sequence with probability p in training, and scales the others.
 *
 * `y = x·m / (1 - p)` with a new m ∈ {0, 1} for each channel in every call, P(m = 0) = p; in evaluation `y = x`
 *
 * @remarks
 * **Shape**: input `[n, channels, length]` or `[channels, length]`; the output has the shape of the input.
 * **State**, **Gradient**, **Ownership**: the same as for {@link Dropout}.
 *
 * @see torch.nn.Dropout1d
 */
export class Dropout1d extends RandomMask {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Dropout1d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if p is not from 0 to 1, the seed is not an integer, or an option is
   * unknown
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
 * Zeroes each channel of each image with probability p in training, and scales the others.
 *
 * `y = x·m / (1 - p)` with a new m ∈ {0, 1} for each channel in every call, P(m = 0) = p; in evaluation `y = x`
 *
 * @remarks
 * **Shape**: input `[n, channels, height, width]`, or `[n, channels, length]`, which is how torch reads three axes
 * here; the output has the shape of the input.
 * **State**, **Gradient**, **Ownership**: the same as for {@link Dropout}.
 *
 * @see torch.nn.Dropout2d
 */
export class Dropout2d extends RandomMask {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Dropout2d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if p is not from 0 to 1, the seed is not an integer, or an option is
   * unknown
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
 * Multiplies by a random mask, which is 0 with probability p and 1 / (1 - p) otherwise.
 *
 * @param shape - the shape of the mask, which is broadcast to x
 * @param seeds - default: the seeds of `manualSeed`
 */
export function zeroAtRandom(x: Tensor, p: number, shape: number[] = x.shape, seeds?: SeedSequence): Tensor {
  // The result is a second tensor on the same data, because x belongs to the caller.
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
