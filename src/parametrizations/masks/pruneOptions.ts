import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ParametrizationDefinition } from '../../parametrize/definition.ts';
import type { Parametrization } from '../../parametrize/parametrization.ts';
import { boolean, integer, oneOf } from '../options.ts';
import { amountOptions } from './amount.ts';

/** Options of `prune`. At most one of `fraction`, `count`, `sparsity`, `nOfM` and `mask` is given. */
export interface PruneOptions {
  /**
   * The share of the elements to hide, from 0 to 1, of those that are not hidden yet. The number is rounded as in
   * torch: to the nearest integer, and halves to the even one.
   */
  readonly fraction?: number;
  /** The number of further elements to hide. If fewer are left, all are hidden. */
  readonly count?: number;
  /** The share of all elements that are hidden afterwards, from 0 to 1. More than that stay hidden. */
  readonly sparsity?: number;
  /**
   * `[n, m]`: of every m neighbors along the axis of the inputs, the n with the largest absolute values stay. With
   * `dim`, along that axis.
   */
  readonly nOfM?: readonly [n: number, m: number];
  /** The mask: 0 for the elements to hide, another number for all others. It has the shape of the tensor. */
  readonly mask?: Tensor;
  /** The order of hiding: by absolute value, or at random. Default `'magnitude'`. */
  readonly method?: 'magnitude' | 'random';
  /** The axis whose slices are hidden as a whole, such as output channels. Default: single elements are hidden. */
  readonly dim?: number;
  /** The norm of a slice, for `dim`: a number above 0, or Infinity for the largest absolute value. Default 2. */
  readonly norm?: number;
  /** Importance scores, by whose absolute values elements are hidden. They have the shape of the tensor. */
  readonly scores?: Tensor;
  /**
   * True if elements that are hidden may come back: the mask is chosen anew, and amounts count from the whole tensor.
   * Default false.
   */
  readonly regrow?: boolean;
}

/** Accepts tensors. */
const tensor = { expected: 'a tensor', accepts: (value: Tensor): boolean => value instanceof tf.Tensor };

/** The definitions of the options of `prune`. */
export const pruneOptions: ParametrizationDefinition<Parametrization, PruneOptions>['options'] = {
  ...amountOptions,
  nOfM: {
    expected: 'two integers [n, m] with 0 ≤ n ≤ m and m ≥ 1',
    accepts: (value) =>
      Array.isArray(value) &&
      value.length === 2 &&
      value.every((one) => Number.isSafeInteger(one) && one >= 0) &&
      value[1]! >= Math.max(1, value[0]!),
  },
  mask: tensor,
  method: oneOf(['magnitude', 'random']),
  dim: integer(Number.MIN_SAFE_INTEGER),
  norm: {
    expected: 'a number above 0, or Infinity',
    accepts: (value) => typeof value === 'number' && value > 0,
  },
  scores: tensor,
  regrow: boolean,
};
