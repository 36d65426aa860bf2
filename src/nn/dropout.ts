import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../errors.ts';
import { Module } from './module.ts';
import { checkOptions } from './options.ts';
import { nextSeed, type SeedSequence, seedSequence } from './random.ts';

/** Options of {@link Dropout}. */
export interface DropoutOptions {
  /** Makes the masks of this module reproducible; default: those of `manualSeed`, else random. */
  readonly seed?: number;
}

/**
 * Zeroes each element with probability p while training, and scales the others so that the mean stays.
 *
 * `y = x·m / (1 - p)`, m ∈ {0, 1} with P(m = 0) = p, new in every call; in evaluation `y = x`
 *
 * @remarks
 * **Shape**: any; the output has the input's.
 * **State**: none in the state dict. A seed's sequence goes on with each call, and the copy of a module goes on by itself.
 * **Gradient**: of any order, through the mask that was drawn.
 * **Ownership**: `call` returns a new tensor, also in evaluation; the caller disposes it, or `tf.tidy` does.
 *
 * @see torch.nn.Dropout
 */
export class Dropout extends Module {
  /** Probability of an element to be zeroed. */
  readonly p: number;
  /** @internal */
  readonly seeds: SeedSequence | undefined;

  /**
   * @throws {@link ParametrizeError} `OPTION` if p is not from 0 to 1, the seed no integer or an option unknown
   */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super();
    if (!(typeof p === 'number' && p >= 0 && p <= 1)) {
      throw new ParametrizeError(
        'OPTION',
        `Dropout: p is ${String(p)}, it must be a probability. Pass a number from 0 to 1.`,
      );
    }
    checkOptions('Dropout', options, ['seed']);
    this.p = p;
    this.seeds = options.seed === undefined ? undefined : seedSequence('Dropout', options.seed);
  }

  forward(x: Tensor): Tensor {
    // A second tensor on the same data, not x itself, which is not ours to hand over.
    if (!this.training || this.p === 0) return tf.reshape(x, x.shape);
    if (this.p === 1) return tf.mul(x, 0);
    const kept = tf.greaterEqual(tf.randomUniform(x.shape, 0, 1, 'float32', nextSeed(this.seeds)), this.p);
    return tf.mul(x, tf.mul(tf.cast(kept, 'float32'), 1 / (1 - this.p)));
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}
