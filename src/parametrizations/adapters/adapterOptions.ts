import { refusal } from '../../core/errors.ts';
import { isRecord } from '../../core/guards.ts';
import type { OptionDefinition, TargetTensor } from '../../parametrize/definition.ts';
import { aboveZero, boolean, finite, integer, oneOf } from '../options.ts';
import type { RankAxis } from './factorLayout.ts';

/** The settings of one adapter of a bias. */
export interface ScalingSettings {
  /** The rank of the change of the weight. Default 8. */
  readonly rank?: number;
  /** The numerator of the scaling. Default: the rank, so that the scaling is 1. */
  readonly alpha?: number;
  /** True for a scaling of `alpha / √rank` instead of `alpha / rank`. Default false. */
  readonly useRslora?: boolean;
  /** The name of the adapter, without a dot. Default `'default'`. */
  readonly adapter?: string;
}

/** The settings of one adapter. */
export interface AdapterSettings extends ScalingSettings {
  /**
   * The probability with which training drops an input of A, the same one for a whole batch; the others are divided by
   * `1 - dropout`. Default 0. A weight cannot drop other inputs for each sample, as the layers of PEFT do.
   */
  readonly dropout?: number;
  /**
   * The distribution of A: `'kaiming'` for uniform numbers within `1/√columns`, `'gaussian'` for a standard deviation
   * of `1/rank`; B is zero. `'embedding'`: A is zero, B has a standard deviation of 1. Default `'kaiming'`, and
   * `'embedding'` on embeddings.
   */
  readonly initial?: AdapterInitial;
}

/** The distribution of a new factor. */
export type AdapterInitial = 'kaiming' | 'gaussian' | 'embedding';

/** Options of maps with adapters. */
export interface SeveralAdapters<S> {
  /** Further adapters, as a recipe has them. Default: none. */
  readonly adapters?: readonly S[];
  /**
   * The weights of the active adapters by their names, as a recipe has them. Default null: the first adapter is active,
   * with the weight 1.
   */
  readonly active?: Readonly<Record<string, number>> | null;
}

/** Options of {@link loraBias}. */
export interface LoraBiasOptions extends ScalingSettings, SeveralAdapters<ScalingSettings> {}

/** Options of {@link lora} and {@link dora}. */
export interface AdapterOptions extends AdapterSettings, SeveralAdapters<AdapterSettings> {
  /** The axis of the features. Default: that of the outputs of the host, or of the vectors of an embedding. */
  readonly dim?: number;
  /** The axis of A that counts the rank. Default `'first'`, on layers of tf.layers `'last'`. */
  readonly rankAxis?: RankAxis;
}

/** The settings of an adapter, with defaults. */
export type CompleteSettings = Required<AdapterSettings>;

type Definitions<O> = { readonly [K in keyof O]-?: OptionDefinition<Required<O>[K]> };

const scaling: Definitions<ScalingSettings> = {
  rank: { default: 8, ...integer(1) },
  alpha: aboveZero,
  useRslora: { default: false, isQuiet: true, ...boolean },
  adapter: {
    default: 'default',
    expected: 'a name without a dot',
    accepts: (value) => typeof value === 'string' && value !== '' && !value.includes('.'),
  },
};

const { adapter, ...others } = scaling;
const settings: Definitions<AdapterSettings> = {
  ...others,
  dropout: {
    default: 0,
    isQuiet: true,
    expected: 'a number of at least 0 and below 1',
    accepts: (value) => typeof value === 'number' && value >= 0 && value < 1,
  },
  adapter,
  initial: oneOf(['kaiming', 'gaussian', 'embedding']),
};

const names = Object.keys(settings) as (keyof AdapterSettings)[];

const areSettings = (value: unknown, definitions: Definitions<object>): boolean =>
  isRecord(value) &&
  Object.entries(value).every(
    ([name, option]) =>
      Object.hasOwn(definitions, name) &&
      (definitions as Record<string, OptionDefinition<unknown>>)[name]!.accepts(option),
  );

const severalOf = <S extends object>(definitions: Definitions<S>): Definitions<SeveralAdapters<S>> => ({
  adapters: {
    default: [],
    isQuiet: true,
    expected: 'a list of the settings of adapters',
    accepts: (value) => Array.isArray(value) && value.every((one) => areSettings(one, definitions)),
  },
  active: {
    default: null,
    isQuiet: true,
    expected: 'an object with the weight of each active adapter, or null',
    accepts: (value) =>
      value === null || (isRecord(value) && Object.values(value).every(finite.accepts as never)),
  },
});

/** The definitions of the options of maps with adapters of a bias. */
export const biasOptions: Definitions<LoraBiasOptions> = { ...scaling, ...severalOf(scaling) };

/** The definitions of the options of maps with adapters of low rank. */
export const adapterOptions: Definitions<AdapterOptions> = {
  ...settings,
  dim: integer(Number.MIN_SAFE_INTEGER),
  rankAxis: oneOf(['first', 'last']),
  ...severalOf(settings),
};

/** Returns settings with their defaults. */
export function completeSettings({ rank = 8, alpha = rank, ...given }: AdapterSettings): CompleteSettings {
  const { useRslora = false, dropout = 0, adapter = 'default', initial = 'kaiming' } = given;
  return { rank, alpha, useRslora, dropout, adapter, initial };
}

/** Returns the settings of all adapters that options name: the first, then the further ones. */
export const allSettings = ({ adapters = [], ...first }: AdapterOptions): CompleteSettings[] =>
  [first, ...adapters].map(completeSettings);

/** True if two adapters have the same settings. The distribution of new factors does not count. */
export const isSameSettings = (a: CompleteSettings, b: CompleteSettings): boolean =>
  names.every((name) => name === 'initial' || Object.is(a[name], b[name]));

/** Returns options completed by what the tensor decides. */
export function optionsFor(
  { featureAxes, outputAxes, outputAxis }: TargetTensor,
  caller: string,
  options: AdapterOptions,
): AdapterOptions {
  const [dim, ...others] = featureAxes;
  if (others.length > 0 && options.dim === undefined) {
    throw refusal(
      'SHAPE',
      caller,
      'every pair of the last two axes of the kernel is one output, so that it has no matrix of low rank',
      'Register it on the pointwise kernel of a separable convolution, or pass { dim }.',
    );
  }
  const initial = dim === outputAxis ? 'kaiming' : 'embedding';
  const withInitial = <S extends AdapterSettings>(settings: S): S => ({ initial, ...settings });
  return withInitial({
    dim: dim!,
    rankAxis: outputAxes === null ? 'first' : 'last',
    ...options,
    adapters: (options.adapters ?? []).map(withInitial),
  });
}

/** The number that the product of the factors of an adapter is multiplied by. */
export const scalingOf = ({ rank, alpha, useRslora }: CompleteSettings): number =>
  alpha / (useRslora ? Math.sqrt(rank) : rank);

/**
 * Refuses two adapters of one name, and weights of adapters that there are not.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkAdapters(caller: string, options: AdapterOptions): void {
  const given = allSettings(options).map(({ adapter }) => adapter);
  const twice = given.find((name, i) => given.indexOf(name) !== i);
  if (twice !== undefined) throw refusal('OPTION', caller, `two adapters have the name '${twice}'`);
  const unknown = Object.keys(options.active ?? {}).find((name) => !given.includes(name));
  if (unknown !== undefined) {
    throw refusal('OPTION', caller, `active has '${unknown}'; the adapters are ${given.join(', ')}`);
  }
}
