import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { onLastAxis } from '../ops/onLastAxis.ts';
import { softplus, softplusInverse } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf } from './axes/normAxes.ts';
import { integer } from './options.ts';
import { largest, vectorsAlong } from './set/slices.ts';

/** Options of {@link ordered}. */
export interface OrderedOptions {
  /** The axis along which the elements ascend. Default -1, the last axis. */
  readonly axis?: number;
}

/**
 * Makes the elements ascend along an axis: `W₀ = X₀`, `Wᵢ = Wᵢ₋₁ + softplus(Xᵢ)`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order; that to Xᵢ is the sum of the gradients to Wᵢ, Wᵢ₊₁, …, times σ(Xᵢ) for i > 0.
 *
 * A difference of 0 or below cannot be reached. The right inverse takes `max(1e-3 · mean|differences|, 1e-6)` instead,
 * which also moves the elements after it. In float32, neighbours may be equal.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid `axis`
 * @see tfp.bijectors.Ascending
 */
export class Ordered extends Parametrization {
  /** The axis along which the elements ascend, as given. */
  readonly axis: number;

  constructor(options: OrderedOptions = {}) {
    super();
    this.axis = this.checkedOptions(options).axis;
  }

  override forward(X: Tensor): Tensor {
    const [axis] = axesOf('ordered', [this.axis], X) as [number];
    return onLastAxis(X, axis, ascending);
  }

  override rightInverse(W: Tensor): Tensor {
    const [axis] = axesOf('ordered', [this.axis], W) as [number];
    return tf.tidy(() => onLastAxis(W, axis, inverse));
  }

  override isPure(): boolean {
    return true;
  }
}

function ascending(X: Tensor): Tensor {
  const last = X.rank - 1;
  if (X.shape[last]! < 2 || X.size === 0) return tf.clone(X);
  const [first, rest] = split(X, 1);
  // The gradient of tf.cumsum along another axis than the last has a wrong shape.
  return tf.cumsum(tf.concat([first, softplus(rest)], last), last);
}

function inverse(W: Tensor): Tensor {
  const last = W.rank - 1;
  const size = W.shape[last]!;
  if (size < 2 || W.size === 0) return tf.clone(W);
  const [first, rest] = split(W, 1);
  const [before] = split(W, size - 1);
  const differences = tf.sub(rest, before);
  const least = tf.maximum(tf.mul(1e-3, tf.mean(tf.abs(differences), last, true)), 1e-6);
  const positive = tf.where(tf.greater(differences, 0), differences, least);
  return tf.concat([first, softplusInverse(positive)], last);
}

/** Returns the first elements along the last axis, and the others. */
function split(x: Tensor, count: number): [Tensor, Tensor] {
  const last = x.rank - 1;
  return tf.split(x, [count, x.shape[last]! - count], last) as [Tensor, Tensor];
}

/**
 * Makes the elements of a weight ascend along an axis; see {@link Ordered}. Ascending vectors keep their value.
 *
 * @throws {@link ParametrizeError} `OPTION` for an `axis` that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * ordered(layer, 'cutpoints');
 * ```
 * @function
 */
export const ordered = defineParametrization<Ordered, OrderedOptions>({
  name: 'ordered',
  class: Ordered,
  hasFixedFields: true,
  copies: 24,
  options: { axis: { default: -1, ...integer(Number.MIN_SAFE_INTEGER) } },
  axes: { option: 'axis' },
  make: (_, options) => new Ordered(options),
  set: {
    contains: (value, { axis }, tolerance) =>
      vectorsAlong(value, [axis])?.every((vector) => {
        const accepted = tolerance * largest(vector);
        return vector.every((element, i) => i === 0 || element >= vector[i - 1]! - accepted);
      }) ?? false,
    sample(shape, { axis }) {
      const numbers = normalNumbers(shape);
      const [along] = axesOf('ordered.sample', [axis], numbers) as [number];
      return onLastAxis(numbers, along, ascending);
    },
  },
});
