import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { didYouMean } from '../../core/text.ts';
import { warnOnce } from '../../core/warnOnce.ts';
import { ParameterDict } from '../../nn/containers/parameterDict.ts';
import { zeroAtRandom } from '../../nn/dropout.ts';
import { normalNumbers, uniformWithin } from '../../nn/init/random.ts';
import { parameter } from '../../nn/module/parameter.ts';
import { definitionOf } from '../../parametrize/definition.ts';
import { Parametrization } from '../../parametrize/parametrization.ts';
import { retireVariable } from '../../parametrize/transaction.ts';
import {
  type AdapterOptions,
  allSettings,
  type CompleteSettings,
  completeSettings,
  isSameSettings,
  scalingOf,
} from './adapterOptions.ts';
import { FactorLayout } from './factorLayout.ts';

/** Adapters that were removed from their map. */
export interface DetachedAdapters {
  readonly variables: readonly Variable[];
  /** Gives the adapters back to the map, and makes those active that were. */
  attach(): void;
}

/**
 * The base of maps that add changes of low rank to a weight. A map has named adapters, each with its own factors A and
 * B. Any of them may be active, with a weight.
 */
export abstract class LowRankAdapters extends Parametrization {
  /** The factors A by the names of the adapters. */
  readonly lora_A: ParameterDict = new ParameterDict();
  /** The factors B by the names of the adapters. */
  readonly lora_B: ParameterDict = new ParameterDict();
  /** @internal The shapes of the factors. */
  readonly layout: FactorLayout;
  private settings: Readonly<Record<string, CompleteSettings>> = {};
  private weights: Readonly<Record<string, number>> = {};

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: AdapterOptions) {
    super();
    const { dim = 0, rankAxis = 'first' } = this.checkedOptions(options);
    this.layout = new FactorLayout(this.caller, weight.shape, dim, rankAxis);
  }

  /** The names of the adapters, in the order in which they came. */
  get adapterNames(): string[] {
    return Object.keys(this.settings);
  }

  /** The weights of the active adapters by their names. */
  get active(): Readonly<Record<string, number>> {
    return this.weights;
  }

  /**
   * Makes these adapters active, and no others. Cached values become stale.
   *
   * @throws {@link ParametrizeError} `OPTION` for an adapter that the map lacks, or a weight that is not finite
   */
  set active(weights: Readonly<Record<string, number>>) {
    this.checkActive(weights);
    this.weights = { ...weights };
    this.invalidate();
  }

  /** @internal The name of the function, for messages. */
  get caller(): string {
    return definitionOf(this)!.name;
  }

  /** @internal Refuses weights of adapters. */
  checkActive(weights: Readonly<Record<string, number>>): void {
    for (const [name, weight] of Object.entries(weights)) {
      this.settingsOf(name);
      if (Number.isFinite(weight)) continue;
      throw refusal('OPTION', this.caller, `the weight of '${name}' is ${weight}`, 'Pass a finite number.');
    }
  }

  /** @internal Returns the settings of an adapter. */
  settingsOf(name: string): CompleteSettings {
    const found = Object.hasOwn(this.settings, name) ? this.settings[name] : undefined;
    if (found !== undefined) return found;
    const known = this.adapterNames;
    throw refusal(
      'OPTION',
      this.caller,
      `there is no adapter '${name}'`,
      `${didYouMean(name, known)} It has: ${known.join(', ') || 'none'}.`.trim(),
    );
  }

  /** @internal What a second call with these options would do. */
  planCall(options: AdapterOptions): 'unchanged' | 'change' | 'conflict' {
    const wanted = allSettings(options);
    const known = wanted.filter(({ adapter }) => Object.hasOwn(this.settings, adapter));
    if (known.some((one) => !isSameSettings(one, this.settings[one.adapter]!))) return 'conflict';
    return known.length === wanted.length ? 'unchanged' : 'change';
  }

  /**
   * @internal Adds adapters. None of them is active.
   *
   * @param weight - the value without adapters
   * @throws {@link ParametrizeError} `CONFLICT` for a name that is taken; `INVALID_NAME`
   */
  addAdapters(weight: Tensor, options: AdapterOptions): string[] {
    return allSettings(options).map((settings) => {
      this.addAdapter(weight, settings);
      return settings.adapter;
    });
  }

  /** Adds the variables of an adapter. */
  protected addAdapter(_weight: Tensor, settings: CompleteSettings): void {
    const { adapter: name, rank, initial } = settings;
    if (Object.hasOwn(this.settings, name)) {
      throw refusal(
        'CONFLICT',
        this.caller,
        `there is an adapter '${name}' already`,
        'Pass another name: { adapter }; or remove it first by unloadAdapters.',
      );
    }
    const { layout } = this;
    const { features, columns } = layout;
    if (rank >= Math.min(features, columns)) {
      warnOnce(
        `rank of ${this.caller}`,
        `${this.caller} got the rank ${rank} for a matrix of ${features} × ${columns}: it has as many parameters as the matrix, or more`,
      );
    }
    const isEmbedding = initial === 'embedding';
    this.lora_A.set(
      name,
      parameter(() => {
        const shape = layout.shapeOfA(rank);
        if (isEmbedding) return tf.zeros(shape);
        return initial === 'kaiming'
          ? uniformWithin(shape, 1 / Math.sqrt(columns))
          : normalNumbers(shape, 1 / rank);
      }),
    );
    this.lora_B.set(
      name,
      parameter(() => (isEmbedding ? normalNumbers(layout.shapeOfB(rank)) : tf.zeros(layout.shapeOfB(rank)))),
    );
    this.settings = { ...this.settings, [name]: settings };
  }

  /** @internal Removes adapters. Their variables are disposed at the commit of the transaction. */
  removeAdapters(names: readonly string[]): void {
    for (const variable of this.detachAdapters(names).variables) retireVariable(variable);
  }

  /** @internal Removes adapters, whose variables belong to the caller then. */
  detachAdapters(names: readonly string[]): DetachedAdapters {
    const { settings, weights } = this;
    const found = this.dictionaries().flatMap((dict) => names.map((name) => [dict, name] as const));
    const variables = found.map(([dict, name]) => {
      const variable = dict.get(name) as Variable;
      dict.delete(name);
      return variable;
    });
    const isLeft = ([name]: [string, unknown]): boolean => !names.includes(name);
    this.settings = Object.fromEntries(Object.entries(settings).filter(isLeft));
    this.weights = Object.fromEntries(Object.entries(weights).filter(isLeft));
    this.invalidate();
    return {
      variables,
      attach: () => {
        for (const [i, [dict, name]] of found.entries()) dict.set(name, variables[i]!);
        this.settings = { ...settings, ...this.settings };
        this.weights = weights;
        this.invalidate();
      },
    };
  }

  /** @internal The dictionaries with one variable for each adapter. */
  dictionaries(): ParameterDict[] {
    return [this.lora_A, this.lora_B];
  }

  /** @internal Returns the options that make the map again. */
  config(): AdapterOptions {
    const { dim, rankAxis } = this.layout;
    const [first = completeSettings({}), ...adapters] = Object.values(this.settings);
    const active = Object.entries(this.weights);
    const isUsual = active.length === 1 && active[0]![0] === first.adapter && active[0]![1] === 1;
    return { ...first, dim, rankAxis, adapters, active: isUsual ? null : this.weights };
  }

  /** Returns a weight with the changes of the active adapters. */
  protected adapted(X: Tensor): Tensor {
    this.layout.check(this.caller, X);
    const dropping = this.training;
    return Object.entries(this.weights).reduce(
      (sum, [name, weight]) => tf.add(sum, this.change(name, weight, dropping)),
      X,
    );
  }

  /** Returns a weight without the changes of the active adapters, of which nothing is dropped. */
  protected unadapted(W: Tensor): Tensor {
    this.layout.check(this.caller, W);
    return Object.entries(this.weights).reduce(
      (rest, [name, weight]) => tf.sub(rest, this.change(name, weight, false)),
      W,
    );
  }

  private change(name: string, weight: number, dropping: boolean): Tensor {
    const { layout } = this;
    const settings = this.settings[name]!;
    const { rank, dropout } = settings;
    const A = this.lora_A.get(name)!;
    const B = tf.mul(this.lora_B.get(name)!, weight * scalingOf(settings));
    const given = dropping && dropout > 0 ? zeroAtRandom(A, dropout, layout.shapeOfMask(rank)) : A;
    return layout.product(given, B, rank);
  }

  /** True if no active adapter draws random numbers. */
  override isPure(): boolean {
    return !this.training || Object.keys(this.weights).every((name) => this.settings[name]!.dropout === 0);
  }

  override extraRepr(): string {
    const texts = Object.values(this.settings).map(({ adapter, rank, alpha, useRslora, dropout }) => {
      const weight = this.weights[adapter];
      const parts = [
        `rank=${rank}`,
        `alpha=${alpha}`,
        ...(useRslora ? ['useRslora=true'] : []),
        ...(dropout > 0 ? [`dropout=${dropout}`] : []),
        ...(weight === undefined ? ['inactive'] : weight === 1 ? [] : [`weight=${weight}`]),
      ];
      return `${adapter}: ${parts.join(', ')}`;
    });
    return texts.join('; ');
  }
}
