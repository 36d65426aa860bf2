import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { defineParametrization } from '../parametrize/define.ts';
import { adapterDefinition, addsAdapters } from './adapters/adapterDefinition.ts';
import { type AdapterOptions, checkAdapters, optionsFor } from './adapters/adapterOptions.ts';
import { LowRankAdapters } from './adapters/lowRankAdapters.ts';

/** Options of {@link lora}. */
export interface LoraOptions extends AdapterOptions {}

/**
 * Adds changes of low rank to a weight that is not trained: `W = X + Σ weight · scaling · B·A` over the active
 * adapters, with `scaling = alpha / rank`, or `alpha / √rank` with `useRslora`.
 *
 * @remarks
 * **Shape**: X, W: S. The matrix of a weight has the features of the host as its rows and all other axes as its
 * columns. On modules, A: `[rank, …]` with the other axes of S, and B: `[features, rank]`, with ones for the axes of
 * a kernel. On layers of tf.layers, A: `[…, rank]` and B: `[rank, features]`.
 * **State**: `original` = X, which is not trained while the map is registered. Parameters `lora_A.NAME` and
 * `lora_B.NAME` of each adapter. No buffers.
 * **Gradient**: of any order: `∂L/∂B = s · ∂L/∂W · Aᵀ`, `∂L/∂A = s · Bᵀ · ∂L/∂W`. Only active adapters get one.
 * **Purity**: not pure while it trains with `dropout`: each evaluation drops other inputs.
 *
 * A registration keeps the value, because one factor is zero. A second call adds an adapter, which is not active;
 * {@link setAdapters} of `tfjs-parametrize/finetune` makes adapters active. A removal lets X train again as before.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` for a vector, and for the kernel of a depthwise convolution
 * @see Hu et al. 2021, arXiv:2106.09685; Kalajdzievski 2023, arXiv:2312.03732 (`useRslora`)
 */
export class Lora extends LowRankAdapters {
  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: LoraOptions = {}) {
    super(weight, options);
    const [first] = this.addAdapters(weight, options);
    this.active = options.active ?? { [first!]: 1 };
  }

  override forward(X: Tensor): Tensor {
    return this.adapted(X);
  }

  /** Returns the weight without the changes of the active adapters. */
  override rightInverse(W: Tensor): Tensor {
    return tf.tidy(() => this.unadapted(W));
  }
}

/**
 * Trains a change of low rank instead of a weight; see {@link Lora}. The weight keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` for a vector, and for the kernel of a depthwise convolution;
 * `CONFLICT` for the name of an adapter that the weight has already; `INVALID_NAME`; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * lora(layer, { rank: 4, adapter: 'digits' });
 * lora(layer, { rank: 4, adapter: 'letters' });
 * ```
 * @function
 */
export const lora = defineParametrization<Lora, LoraOptions>({
  name: 'lora',
  class: Lora,
  ...adapterDefinition,
  copies: 14,
  secondCall: addsAdapters<Lora>(),
  check: (options) => checkAdapters('lora', options),
  make: (target, options) => new Lora(target.value, optionsFor(target, 'lora', options)),
});
