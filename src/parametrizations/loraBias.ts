import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { ParameterDict } from '../nn/containers/parameterDict.ts';
import { parameter } from '../nn/module/parameter.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { adapterDefinition, addsAdapters } from './adapters/adapterDefinition.ts';
import {
  biasOptions,
  type CompleteSettings,
  checkAdapters,
  type LoraBiasOptions,
  scalingOf,
} from './adapters/adapterOptions.ts';
import { Adapters } from './adapters/adapters.ts';

/**
 * Adds trained changes to a bias that is not trained: `b = x + Σ weight · scaling · c` over the active adapters, with
 * the scaling of {@link Lora}. It is the bias of B in an adapter of PEFT with `lora_bias`.
 *
 * @remarks
 * **Shape**: x, b, c: S.
 * **State**: `original` = x, which is not trained while the map is registered. The parameter `lora_bias.NAME` of each
 * adapter, which begins as zero. No buffers.
 * **Gradient**: of any order: `∂L/∂c = scaling · ∂L/∂b`. Only active adapters get one.
 *
 * A registration keeps the value. A second call adds an adapter, which is not active.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export class LoraBias extends Adapters {
  /** The changes by the names of the adapters. */
  readonly lora_bias: ParameterDict = new ParameterDict();
  private readonly shape: readonly number[];

  /** @param bias - the tensor to parametrize; only its shape is used */
  constructor(bias: Tensor, options: LoraBiasOptions = {}) {
    super();
    this.checkedOptions(options);
    this.shape = [...bias.shape];
    const [first] = this.addAdapters(bias, options);
    this.active = options.active ?? { [first!]: 1 };
  }

  override forward(x: Tensor): Tensor {
    return this.adapted(x);
  }

  /** Returns the bias without the changes of the active adapters. */
  override rightInverse(b: Tensor): Tensor {
    return tf.tidy(() => this.unadapted(b));
  }

  /** @internal The dictionaries with one variable for each adapter. */
  override dictionaries(): Readonly<Record<string, ParameterDict>> {
    const { lora_bias } = this;
    return { lora_bias };
  }

  /** @internal Returns the options that make the map again. */
  override config(): LoraBiasOptions {
    const { rank, alpha, useRslora, adapter, adapters, active } = super.config();
    const pick = (settings: LoraBiasOptions): LoraBiasOptions =>
      Object.fromEntries(
        ['rank', 'alpha', 'useRslora', 'adapter'].map((name) => [name, settings[name as 'rank']]),
      );
    return {
      ...pick({ rank, alpha, useRslora, adapter } as LoraBiasOptions),
      adapters: (adapters ?? []).map(pick),
      active: active!,
    };
  }

  protected override addVariables(_bias: Tensor, { adapter }: CompleteSettings): void {
    this.lora_bias.set(
      adapter,
      parameter(() => tf.zeros([...this.shape])),
    );
  }

  protected override checkShape({ shape }: Tensor): void {
    if (tf.util.arraysEqual(shape, this.shape as number[])) return;
    throw refusal(
      'SHAPE',
      this.caller,
      `the tensor has shape ${formatShape(shape)}, the adapters are for ${formatShape(this.shape)}`,
    );
  }

  protected override change(settings: CompleteSettings, weight: number): Tensor {
    return tf.mul(this.lora_bias.get(settings.adapter)!, weight * scalingOf(settings));
  }
}

/**
 * Trains a change of a bias instead of the bias; see {@link LoraBias}. The bias keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `CONFLICT` for the name of an adapter that the bias has already;
 * `INVALID_NAME`; the errors of {@link registerParametrization}, such as `UNKNOWN_TENSOR` for a host without a bias
 * @example
 * ```ts
 * lora(layer, { rank: 4, alpha: 8 });
 * loraBias(layer, 'bias', { rank: 4, alpha: 8 });
 * ```
 * @function
 */
export const loraBias = defineParametrization<LoraBias, LoraBiasOptions>({
  name: 'loraBias',
  class: LoraBias,
  ...adapterDefinition,
  options: biasOptions,
  config: (map) => map.config(),
  copies: 12,
  secondCall: addsAdapters<LoraBias>((_target, _caller, options) => options),
  check: (options) => checkAdapters('loraBias', options),
  make: ({ value }, options) => new LoraBias(value, options),
});
