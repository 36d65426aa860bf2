import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { ParameterDict } from '../nn/containers/parameterDict.ts';
import { parameter } from '../nn/module/parameter.ts';
import { isZero, norm } from '../ops/norm/norm.ts';
import { stopGradient } from '../ops/stopGradient.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { adapterDefinition, addsAdapters } from './adapters/adapterDefinition.ts';
import {
  type AdapterOptions,
  type CompleteSettings,
  checkAdapters,
  optionsFor,
} from './adapters/adapterOptions.ts';
import { LowRankAdapters } from './adapters/lowRankAdapters.ts';

/** The smallest normal number of float32. */
const SMALLEST = 2 ** -126;

/** Options of {@link dora}. */
export interface DoraOptions extends AdapterOptions {}

/**
 * Trains the lengths of a weight, and a change of low rank of its direction: `W = m · V / ‖V‖` with
 * `V = X + weight · scaling · B·A`, and one length m for each feature of the host.
 *
 * @remarks
 * **Shape**: as for {@link Lora}; m: `[features]`, or `[1, features, 1…]` for convolutions of modules.
 * **State**: as for {@link Lora}, and the parameter `lora_magnitude_vector.NAME` of each adapter.
 * **Gradient**: of any order. `‖V‖` counts as a constant, as in §4.3 of the paper: `∂L/∂m = Σ(∂L/∂W · V) / ‖V‖`,
 * `∂L/∂V = m / ‖V‖ · ∂L/∂W`. Where V is zero, W and the gradients are zero.
 *
 * A registration keeps the value, because m begins as `‖X‖`. At most one adapter is active: PEFT adds the changes of
 * several ones in one way while they train, and in another when they are merged.
 *
 * @throws {@link ParametrizeError} as {@link Lora}
 * @see Liu et al. 2024, arXiv:2402.09353
 */
export class Dora extends LowRankAdapters {
  /** The lengths by the names of the adapters. */
  readonly lora_magnitude_vector: ParameterDict = new ParameterDict();

  /** @param weight - the tensor to parametrize; its shape and its norms are used */
  constructor(weight: Tensor, options: DoraOptions = {}) {
    super(weight, options);
    const [first] = this.addAdapters(weight, options);
    this.active = options.active ?? { [first!]: 1 };
  }

  override forward(X: Tensor): Tensor {
    const [name] = Object.keys(this.active);
    const V = this.adapted(X);
    if (name === undefined) return V;
    const { layout } = this;
    const m = layout.broadcast(this.lora_magnitude_vector.get(name)!);
    const length = stopGradient(() => norm(V, layout.reduced));
    const none = stopGradient(() => isZero(length));
    // The quotients m / divisor and 1 / divisor are finite: infinity times a gradient of zero would be NaN.
    const least = stopGradient(() => tf.mul(tf.add(tf.abs(m), 1), SMALLEST));
    const divisor = stopGradient(() => tf.maximum(tf.add(length, none), least));
    // One quotient, because m begins as ‖X‖, and a number divided by itself is exactly 1.
    return tf.mul(V, tf.mul(tf.div(m, divisor), tf.sub(1, none)));
  }

  /** Returns `W` without the change of the active adapter, and makes m the norms of `W`. */
  override rightInverse(W: Tensor): Tensor {
    const [name] = Object.keys(this.active);
    return tf.tidy(() => {
      const X = this.unadapted(W);
      if (name === undefined) return X;
      const m = this.lora_magnitude_vector.get(name) as Variable;
      m.assign(this.lengthsOf(W));
      return X;
    });
  }

  override checkActive(weights: Readonly<Record<string, number>>): void {
    super.checkActive(weights);
    const names = Object.keys(weights);
    if (names.length < 2) return;
    throw refusal(
      'OPTION',
      'dora',
      `the adapters ${names.join(', ')} cannot be active together`,
      'One adapter with lengths can be active at a time.',
    );
  }

  override dictionaries(): Readonly<Record<string, ParameterDict>> {
    const { lora_magnitude_vector } = this;
    return { ...super.dictionaries(), lora_magnitude_vector };
  }

  protected override addVariables(weight: Tensor, settings: CompleteSettings): void {
    super.addVariables(weight, settings);
    this.lora_magnitude_vector.set(
      settings.adapter,
      parameter(() => this.lengthsOf(weight)),
    );
  }

  private lengthsOf(W: Tensor): Tensor {
    const { layout } = this;
    return tf.tidy(() => tf.reshape(norm(W, layout.reduced), layout.shapeOfMagnitude));
  }
}

/**
 * Trains the lengths of a weight and a change of low rank of its direction; see {@link Dora}. The weight keeps its
 * value.
 *
 * @throws {@link ParametrizeError} as {@link lora}
 * @example
 * ```ts
 * dora(layer, { rank: 4 });
 * ```
 * @function
 */
export const dora = defineParametrization<Dora, DoraOptions>({
  name: 'dora',
  class: Dora,
  ...adapterDefinition,
  copies: 18,
  secondCall: addsAdapters<Dora>(),
  check: (options) => checkAdapters('dora', options),
  make: (target, options) => new Dora(target.value, optionsFor(target, 'dora', options)),
});
