import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { didYouMean } from '../../core/text.ts';
import type { ParameterDict } from '../../nn/containers/parameterDict.ts';
import { definitionOf } from '../../parametrize/definition.ts';
import { Parametrization } from '../../parametrize/parametrization.ts';
import { retireVariable } from '../../parametrize/transaction.ts';
import {
  type AdapterOptions,
  allSettings,
  type CompleteSettings,
  completeSettings,
  isSameSettings,
} from './adapterOptions.ts';

/** Adapters that were removed from their map. */
export interface DetachedAdapters {
  readonly variables: readonly Variable[];
  /** Gives the adapters back to the map, and makes those active that were. */
  attach(): void;
}

/**
 * The base of maps that add trained changes to a tensor. A map has named adapters, each with variables of its own. Any
 * of them may be active, with a weight.
 */
export abstract class Adapters extends Parametrization {
  private settings: Readonly<Record<string, CompleteSettings>> = {};
  private weights: Readonly<Record<string, number>> = {};

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
   * @param value - the value without adapters
   * @throws {@link ParametrizeError} `CONFLICT` for a name that is taken; `INVALID_NAME`
   */
  addAdapters(value: Tensor, options: AdapterOptions): string[] {
    return allSettings(options).map((settings) => {
      const { adapter: name } = settings;
      if (Object.hasOwn(this.settings, name)) {
        throw refusal(
          'CONFLICT',
          this.caller,
          `there is an adapter '${name}' already`,
          'Pass another name: { adapter }; or remove it first by unloadAdapters.',
        );
      }
      this.addVariables(value, settings);
      this.settings = { ...this.settings, [name]: settings };
      return name;
    });
  }

  /** @internal Removes adapters. Their variables are disposed at the commit of the transaction. */
  removeAdapters(names: readonly string[]): void {
    for (const variable of this.detachAdapters(names).variables) retireVariable(variable);
  }

  /** @internal Removes adapters, whose variables belong to the caller then. */
  detachAdapters(names: readonly string[]): DetachedAdapters {
    const { settings, weights } = this;
    const found = Object.values(this.dictionaries()).flatMap((dict) =>
      names.map((name) => [dict, name] as const),
    );
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

  /** @internal The dictionaries with one variable for each adapter, by the names of their fields. */
  abstract dictionaries(): Readonly<Record<string, ParameterDict>>;

  /** @internal Returns the options that make the map again. */
  config(): AdapterOptions {
    const [first = completeSettings({}), ...adapters] = Object.values(this.settings);
    const active = Object.entries(this.weights);
    const isUsual = active.length === 1 && active[0]![0] === first.adapter && active[0]![1] === 1;
    return { ...first, adapters, active: isUsual ? null : this.weights };
  }

  /** Adds the variables of an adapter. */
  protected abstract addVariables(value: Tensor, settings: CompleteSettings): void;

  /** Refuses a tensor of another shape than the one that the map was made for. */
  protected abstract checkShape(value: Tensor): void;

  /**
   * Returns the change of an adapter.
   *
   * @param dropping - true to drop inputs at random
   */
  protected abstract change(settings: CompleteSettings, weight: number, dropping: boolean): Tensor;

  /** Returns a tensor with the changes of the active adapters. */
  protected adapted(X: Tensor): Tensor {
    this.checkShape(X);
    const dropping = this.training;
    return Object.entries(this.weights).reduce(
      (sum, [name, weight]) => tf.add(sum, this.change(this.settings[name]!, weight, dropping)),
      X,
    );
  }

  /** Returns a tensor without the changes of the active adapters, of which nothing is dropped. */
  protected unadapted(W: Tensor): Tensor {
    this.checkShape(W);
    return Object.entries(this.weights).reduce(
      (rest, [name, weight]) => tf.sub(rest, this.change(this.settings[name]!, weight, false)),
      W,
    );
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
