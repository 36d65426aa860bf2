import type { NamedTensorMap, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError, named, quoted } from '../../../checkpoint/checkpointError.ts';
import { openCheckpoint } from '../../../checkpoint/file/openCheckpoint.ts';
import { viewOf } from '../../../checkpoint/viewOf.ts';
import { checkOptions } from '../../../core/checkOptions.ts';
import { scoped } from '../../../engine/scope.ts';
import { checkModel } from '../../../model/checkModel.ts';
import type { ParameterDict } from '../../../nn/containers/parameterDict.ts';
import { addedHostKindOf } from '../../../parametrize/host/hostKind.ts';
import { transaction } from '../../../parametrize/transaction.ts';
import { TorchStateView } from '../../../stateDict/torchStateView.ts';
import { type AdapterStep, adapterSteps } from '../adapterSteps.ts';
import { type AdapterSource, adapterFilesAt, CONFIG_KEY, type FoundFiles, readText } from './adapterFiles.ts';
import { type FileParts, filePartsOf } from './fileParts.ts';
import { checkConfig, noConfig, type PeftConfig, parseConfig } from './peftConfig.ts';
import { type ModuleParts, type PeftTensor, peftTensors } from './peftModules.ts';
import { receivingTensors } from './receivingTensors.ts';
import { noteConfig } from './saveAdapter.ts';

/** Options of {@link loadAdapter}. */
export interface LoadAdapterOptions {
  /** The name that the adapter gets in the model. Default `'default'`. */
  readonly adapter?: string;
  /** The contents of `adapter_config.json`. Default: those in the file of the tensors, or in the file beside it. */
  readonly config?: PeftConfig;
}

/** The result of {@link loadAdapter}. */
export interface LoadedAdapter {
  /** The name of the adapter in the model. */
  readonly adapter: string;
  /** The paths of the weights that got the adapter. */
  readonly paths: readonly string[];
  /** The keys of the weights that the file has besides the adapter, and that replaced those of the model. */
  readonly replaced: readonly string[];
  /** True if the adapter is active. */
  readonly isActive: boolean;
  /** What a weight does in another way than the layers of PEFT. */
  readonly notes: readonly string[];
  /** The config. */
  readonly config: PeftConfig;
}

/**
 * Loads an adapter of PEFT into a model, all or nothing: `adapter_model.safetensors`, or `adapter_model.bin`, with
 * `adapter_config.json`. Keys may have the prefix `base_model.model.` or not, and the name of the adapter or not.
 *
 * The weights that the file names get a {@link lora} or {@link dora} with the name of the adapter; biases of B become
 * a {@link loraBias}. The adapter becomes active if no adapter of the model was. Weights of `modules_to_save`, biases
 * and saved embeddings replace those of the model.
 *
 * @param model - a module, or a model of tf.layers whose layers have the names of torch's modules
 * @param source - a folder, by its path or URL; or the file of the tensors, for bytes with `config`
 * @throws {@link CheckpointError} `UNSUPPORTED` with the reason, for an adapter that is no change of a weight;
 * `CORRUPT`, `UNREADABLE`, `AMBIGUOUS` for a file with several adapters and the other codes of files
 * @throws {@link ParametrizeError} `OPTION` without a config; `CONFLICT` if a weight has an adapter of the name;
 * `UNKNOWN_TENSOR`, `SHAPE` if the adapter belongs to another model. Nothing changes then.
 * @example
 * ```ts
 * await loadAdapter(model, 'adapters/digits', { adapter: 'digits' });
 * ```
 */
export async function loadAdapter(
  model: object,
  source: AdapterSource,
  options: LoadAdapterOptions = {},
): Promise<LoadedAdapter> {
  const caller = 'loadAdapter';
  checkModel(caller, model);
  checkOptions(caller, options, ['adapter', 'config']);
  const { adapter = 'default' } = options;
  let tensors: NamedTensorMap = {};
  try {
    const found = adapterFilesAt(source);
    const file = await readTensors(caller, found.models);
    tensors = file.tensors;
    const config = options.config ?? (await configOf(caller, file, found));
    checkConfig(config);
    const parts = filePartsOf(tensors, adapter);
    const result = scoped(caller, () => transaction(() => load(caller, model, parts, config, adapter)));
    noteConfig(model, adapter, config);
    return result;
  } catch (error) {
    throw named(caller, error);
  } finally {
    tf.dispose(tensors);
  }
}

/** The contents of the file of the tensors. */
interface AdapterTensors {
  readonly tensors: NamedTensorMap;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Returns the config in the metadata of the file, or in the file beside it. */
async function configOf(
  caller: string,
  { metadata }: AdapterTensors,
  { config }: FoundFiles,
): Promise<unknown> {
  if (metadata[CONFIG_KEY] !== undefined) return parseConfig(metadata[CONFIG_KEY]);
  if (config === null) throw noConfig(caller);
  return parseConfig(await readText(config));
}

async function readTensors(
  caller: string,
  [first, ...others]: readonly AdapterSource[],
): Promise<AdapterTensors> {
  try {
    const file = await openCheckpoint(caller, first!);
    const tensors: NamedTensorMap = {};
    try {
      for (const name of file.names) tensors[name] = await file.tensor(name);
      return { tensors, metadata: file.metadata };
    } catch (error) {
      tf.dispose(tensors);
      throw error;
    } finally {
      await file.close();
    }
  } catch (error) {
    const isMissing = error instanceof CheckpointError && error.code === 'UNREADABLE';
    if (!isMissing || others.length === 0) throw error;
    return readTensors(caller, others);
  }
}

function load(
  caller: string,
  model: object,
  { modules, plain }: FileParts,
  config: PeftConfig,
  adapter: string,
): LoadedAdapter {
  const known = peftTensors(caller, model);
  const targets = [...modules].flatMap((one) => receivingTensors(caller, known, one, config, adapter));
  const isActive = adapterSteps(caller, model).every(({ map }) => Object.keys(map.active).length === 0);
  const replaced = loadPlain(caller, model, plain);
  for (const { register } of targets) register();
  const steps = adapterSteps(caller, model);
  for (const { tensor, parts } of targets) {
    const { map } = steps.find(({ site, map }) => isAt(site, tensor) && map.adapterNames.includes(adapter))!;
    for (const [name, dictionary] of Object.entries(map.dictionaries())) {
      assign(dictionary, adapter, parts[name as keyof ModuleParts]!);
    }
  }
  activate(steps, adapter, isActive);
  addedHostKindOf(model)?.sync?.(caller, model);
  const dropout = config.lora_dropout ?? 0;
  return {
    adapter,
    paths: targets.map(({ tensor: { path, name } }) => `${path}.${name}`),
    replaced,
    isActive,
    notes:
      dropout > 0
        ? [
            `lora_dropout is ${dropout}: PEFT drops inputs for each sample while it trains, which a weight cannot do`,
          ]
        : [],
    config,
  };
}

const isAt = ({ owner, name }: AdapterStep['site'], { host, tensor }: PeftTensor): boolean =>
  owner === host && name === tensor;

/** Makes the adapter active on every weight that has it, or on none. */
function activate(steps: readonly AdapterStep[], adapter: string, isActive: boolean): void {
  for (const { map } of steps) {
    if (!map.adapterNames.includes(adapter)) continue;
    const { [adapter]: _, ...others } = map.active;
    map.active = isActive ? { [adapter]: 1 } : others;
  }
}

function assign(dict: ParameterDict, adapter: string, value: Tensor): void {
  const variable = dict.get(adapter) as Variable;
  variable.assign(tf.reshape(value, variable.shape));
}

/** Loads the weights of a file that are no parts of adapters. */
function loadPlain(caller: string, model: object, plain: NamedTensorMap): string[] {
  const keys = Object.keys(plain);
  if (keys.length === 0) return [];
  const view = viewOf(caller, model as never, (kind) => new TorchStateView(kind, caller, model));
  const { unexpectedKeys } = view.load({
    tensors: plain,
    strict: false,
    recipe: [],
    catalog: undefined,
    caller,
    what: 'file',
  });
  if (unexpectedKeys.length === 0) return keys;
  throw new CheckpointError(
    'UNKNOWN_TENSOR',
    `the model has no ${unexpectedKeys.map(quoted).join(', ')}, which the adapter replaces`,
    'Load the adapter into the model that it was trained for.',
  );
}
