import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { zeroAtRandom } from '../nn/dropout.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';

/** Options of {@link dropConnect}. */
export interface DropConnectOptions {
  /** The probability that an element is zero in training, from 0 to 1. Default 0.5. */
  readonly p?: number;
}

/**
 * Zeroes random elements of a weight in training, and scales the others so that the mean stays (weight dropout).
 *
 * `W = X ⊙ m / (1 − p)` with random m ∈ {0, 1}, P(m = 0) = p; in evaluation `W = X`
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers. The draws follow {@link nn.manualSeed}.
 * **Gradient**: `∂L/∂X = ∂L/∂W ⊙ m / (1 − p)` with the same draw; of second and higher order zero, because the map is
 * linear.
 *
 * Each evaluation in training draws anew. A pass of a recurrent layer is one evaluation, so all of its steps have the
 * same zeros; in `cached`, all reads have them until the original changes.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option
 * @see Wan et al. 2013; Merity et al. 2017, arXiv:1708.02182, which scales as here
 */
export class DropConnect extends Parametrization {
  private probability: number;

  constructor(options: DropConnectOptions = {}) {
    super();
    this.probability = this.checkedOptions(options).p;
  }

  /** The probability that an element is zero in training. */
  get p(): number {
    return this.probability;
  }

  /** Sets the probability. Cached values become stale. */
  set p(p: number) {
    this.checkOption('p', p);
    this.probability = p;
    this.invalidate();
  }

  override forward(X: Tensor): Tensor {
    return this.training ? zeroAtRandom(X, this.p) : tf.clone(X);
  }

  /** Returns the weight, which is the value in evaluation. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  /** Returns false in training, where each evaluation draws. */
  override isPure(): boolean {
    return !this.training || this.p === 0;
  }
}

/**
 * Zeroes random elements of a weight in training; see {@link DropConnect}. In evaluation, the weight keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * dropConnect(lstm, 'weight_hh_l0', { p: 0.5 });
 * ```
 * @function
 */
export const dropConnect = defineParametrization<DropConnect, DropConnectOptions>({
  name: 'dropConnect',
  class: DropConnect,
  hasFixedFields: true,
  copies: 6,
  options: {
    p: {
      default: 0.5,
      expected: 'a number from 0 to 1',
      accepts: (p) => typeof p === 'number' && p >= 0 && p <= 1,
    },
  },
  make: (_, options) => new DropConnect(options),
});
