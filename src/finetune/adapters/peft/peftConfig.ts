import { CheckpointError, quoted } from '../../../checkpoint/checkpointError.ts';
import { refusal } from '../../../core/errors.ts';
import { isRecord } from '../../../core/guards.ts';

/** The contents of an `adapter_config.json` of PEFT. Fields that are not listed are kept and written back. */
export interface PeftConfig {
  /** The type of the adapter: `LORA`. */
  readonly peft_type?: string;
  /** The rank. Default 8. */
  readonly r?: number;
  /** The numerator of the scaling. Default 8. */
  readonly lora_alpha?: number;
  /** True for a scaling by the root of the rank. Default false. */
  readonly use_rslora?: boolean;
  /** True for adapters with lengths. Default false. */
  readonly use_dora?: boolean;
  /** Other ranks, by regular expressions for paths of modules. */
  readonly rank_pattern?: Readonly<Record<string, number>>;
  /** Other numerators, by regular expressions for paths of modules. */
  readonly alpha_pattern?: Readonly<Record<string, number>>;
  /** True for weights of `[in, out]`. Default false. */
  readonly fan_in_fan_out?: boolean;
  /** The initialization of the factors. */
  readonly init_lora_weights?: unknown;
  /** True if B has a bias. Default false. */
  readonly lora_bias?: boolean;
  /** The dropout of the layers of PEFT. Default 0. */
  readonly lora_dropout?: number;
  /** The biases in the file: `none`, `all` or `lora_only`. */
  readonly bias?: string;
  /** The modules whose own weights are in the file, by paths or their ends. */
  readonly modules_to_save?: readonly string[] | null;
  /** The modules with the adapter: paths or their ends, or a regular expression. */
  readonly target_modules?: readonly string[] | string | null;
  /** The modules without it, in the same form. */
  readonly exclude_modules?: readonly string[] | string | null;
  /** Any other field. */
  readonly [field: string]: unknown;
}

/** The fields of a new config, as PEFT 0.18 writes them. */
export const defaults: PeftConfig = {
  alora_invocation_tokens: null,
  alpha_pattern: {},
  arrow_config: null,
  auto_mapping: null,
  base_model_name_or_path: null,
  bias: 'none',
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  exclude_modules: null,
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
  layer_replication: null,
  layers_pattern: null,
  layers_to_transform: null,
  loftq_config: {},
  lora_alpha: 8,
  lora_bias: false,
  lora_dropout: 0,
  megatron_config: null,
  megatron_core: 'megatron.core',
  modules_to_save: null,
  peft_type: 'LORA',
  peft_version: '0.18.0',
  qalora_group_size: 16,
  r: 8,
  rank_pattern: {},
  revision: null,
  target_modules: null,
  target_parameters: null,
  task_type: null,
  trainable_token_indices: null,
  use_dora: false,
  use_qalora: false,
  use_rslora: false,
};

/** Initializations that change the base, so that the file belongs to another base than the original one. */
const changesBase = /^(pissa(_niter_\d+)?|olora|corda|loftq|lora_ga)$/i;

/** Fields that mean more than the weights of layers, with what they mean. */
const beyondWeights: Readonly<Record<string, string>> = {
  target_parameters: 'adapters of parameters that are not weights of layers',
  layer_replication: 'repeated layers',
  trainable_token_indices: 'trained rows of an embedding',
  alora_invocation_tokens: 'adapters that are active from a token on',
  use_qalora: 'adapters of groups of inputs',
  arrow_config: 'a router of other adapters',
};

const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== false;

/**
 * Checks a config.
 *
 * @throws {@link CheckpointError} `CORRUPT` if it is no config, `UNSUPPORTED` with the reason for what a weight cannot
 * express
 */
export function checkConfig(config: unknown): asserts config is PeftConfig {
  if (!isRecord(config)) {
    throw new CheckpointError(
      'CORRUPT',
      'the config of the adapter is not an object',
      'Pass adapter_config.json.',
    );
  }
  const { peft_type, init_lora_weights: initial } = config as PeftConfig;
  if (String(peft_type ?? 'LORA').toUpperCase() !== 'LORA') {
    throw unsupported(
      `the adapter has the type ${String(peft_type)}`,
      'LORA is the type that is read, with or without use_dora.',
    );
  }
  if (typeof initial === 'string' && changesBase.test(initial)) {
    throw unsupported(
      `init_lora_weights is '${initial}', which has changed the base before training`,
      'Convert the adapter in PEFT first, with path_initial_model_for_weight_conversion.',
    );
  }
  for (const [field, meaning] of Object.entries(beyondWeights)) {
    if (isSet(config[field])) throw unsupported(`the adapter has ${field}: ${meaning}`, 'Merge it in PEFT.');
  }
}

const unsupported = (fact: string, remedy: string): CheckpointError =>
  new CheckpointError('UNSUPPORTED', fact, remedy);

/** Makes the regular expression of a text of a config. */
function expression(source: string, text: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new CheckpointError(
      'CORRUPT',
      `${quoted(text)} in the config is not a regular expression`,
      'Escape its special characters.',
      { cause: error },
    );
  }
}

/** Returns the value of the first key of a pattern that matches a path, or undefined. */
function byPattern(pattern: Readonly<Record<string, number>> | undefined, path: string): number | undefined {
  for (const [key, value] of Object.entries(pattern ?? {})) {
    if (expression(`^(.*\\.)?(${key})$`, key).test(path)) return value;
  }
  return undefined;
}

/** Returns the rank and alpha of a module. */
export const ranksOf = (
  { r = 8, lora_alpha: alpha = 8, rank_pattern: ranks, alpha_pattern: alphas }: PeftConfig,
  path: string,
): { readonly rank: number; readonly alpha: number } => ({
  rank: byPattern(ranks, path) ?? r,
  alpha: byPattern(alphas, path) ?? alpha,
});

/** True if a list of names, or a regular expression, names a module, as `target_modules` of PEFT does. */
export function namesModule(names: readonly string[] | string | null | undefined, path: string): boolean {
  if (names == null) return false;
  if (typeof names === 'string') return expression(`^(?:${names})$`, names).test(path);
  return names.some((name) => path === name || path.endsWith(`.${name}`));
}

/** Returns a config as the text of `adapter_config.json`: sorted keys, two spaces. */
export function configText(config: PeftConfig): string {
  return JSON.stringify(config, sorted, 2);
}

const sorted = (_key: string, value: unknown): unknown =>
  isRecord(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;

/** Reads the text of a config. */
export function parseConfig(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(
      'CORRUPT',
      'the config of the adapter is not JSON',
      'Pass adapter_config.json.',
      {
        cause: error,
      },
    );
  }
}

/** Refuses a missing config. */
export const noConfig = (caller: string): Error =>
  refusal(
    'OPTION',
    caller,
    'the adapter has no config, so that its scaling is unknown',
    'Pass the folder, or the contents of adapter_config.json: { config }.',
  );
