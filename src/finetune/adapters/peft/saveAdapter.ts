import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { named } from '../../../checkpoint/checkpointError.ts';
import { writeSafetensors } from '../../../checkpoint/formats/safetensors/writeSafetensors.ts';
import { checkBoolean, checkChoice, checkOptions } from '../../../core/checkOptions.ts';
import { refusal } from '../../../core/errors.ts';
import { didYouMean, typeName } from '../../../core/text.ts';
import { scoped } from '../../../engine/scope.ts';
import { rawOf } from '../../../nn/module/rawOf.ts';
import { type AdapterStep, adapterSteps, checkNames } from '../adapterSteps.ts';
import { type AdapterTarget, adapterWriter, CONFIG_KEY } from './adapterFiles.ts';
import { configText, namesModule, type PeftConfig } from './peftConfig.ts';
import { type PeftPart, peftKey } from './peftKeys.ts';
import { inTorch, type PeftTensor, peftTensors, plainValue, toPeft } from './peftModules.ts';
import { configOf } from './savedConfig.ts';
import { savedModules } from './savedModules.ts';

/** Options of {@link saveAdapter}. */
export interface SaveAdapterOptions {
  /** The name of the adapter. Default `'default'`. The file does not have it. */
  readonly adapter?: string;
  /** The modules whose own weights are saved too: paths, or their ends. Default: those of the loaded adapter. */
  readonly modulesToSave?: readonly string[];
  /** The biases that are saved too: those of all modules, or of those with the adapter. Default: as loaded, or none. */
  readonly bias?: 'none' | 'all' | 'lora_only';
  /** True if the tables of embeddings with the adapter are saved too. Default false. */
  readonly saveEmbeddingLayers?: boolean;
}

/** The configs of adapters that were loaded, by model and name. */
const loadedConfigs = new WeakMap<object, Map<string, PeftConfig>>();

/** Notes the config that an adapter was loaded with, whose fields are written back. */
export function noteConfig(model: object, adapter: string, config: PeftConfig): void {
  const raw = rawOf(model);
  const configs = loadedConfigs.get(raw) ?? new Map<string, PeftConfig>();
  loadedConfigs.set(raw, configs.set(adapter, config));
}

/**
 * Saves an adapter in the files, names and layout of PEFT: `adapter_model.safetensors` and `adapter_config.json`.
 *
 * The files have the state at the moment of the call, even if training continues meanwhile. Fields of the config that
 * the adapter was loaded with, such as `task_type`, are written back.
 *
 * @param model - a module, or a model of tf.layers whose layers have the names of torch's modules
 * @param target - the path of a folder; that of one `.safetensors` file, which has the config in its metadata, so PEFT
 * cannot read it; or a function that gets each file
 * @returns the config
 * @throws {@link ParametrizeError} `OPTION` for an adapter that the model lacks; `UNSUPPORTED` with the reason for an
 * adapter that PEFT cannot have: of a transposed convolution, of groups, of a recurrent kernel, of `lora` and `dora`
 * together, or of the biases of some modules
 * @throws {@link CheckpointError} `OPTION`, `UNREADABLE` if a file cannot be written
 * @example
 * ```ts
 * await saveAdapter(model, 'adapters/digits', { adapter: 'digits' });
 * ```
 */
export async function saveAdapter(
  model: object,
  target: AdapterTarget,
  options: SaveAdapterOptions = {},
): Promise<PeftConfig> {
  const caller = 'saveAdapter';
  checkOptions(caller, options, ['adapter', 'modulesToSave', 'bias', 'saveEmbeddingLayers']);
  const { adapter = 'default', saveEmbeddingLayers = false } = options;
  checkBoolean(caller, 'saveEmbeddingLayers', saveEmbeddingLayers);
  let tensors: NamedTensorMap = {};
  try {
    const writer = adapterWriter(target);
    const adapted = adapterSteps(caller, model);
    checkNames(caller, adapted, [adapter]);
    const steps = adapted.filter(({ map }) => map.adapterNames.includes(adapter));
    const all = peftTensors(caller, model);
    const loaded = loadedConfigs.get(rawOf(model))?.get(adapter) ?? {};
    const { bias = loaded.bias ?? 'none', modulesToSave = loaded.modules_to_save ?? null } = options;
    checkChoice(caller, 'bias', bias, ['none', 'all', 'lora_only']);
    checkModules(
      caller,
      options.modulesToSave,
      all.map(({ path }) => path),
    );
    const { weights, biases, ...facts } = savedModules(caller, steps, all, adapter);
    const paths = new Set(weights.map(({ tensor }) => tensor.path));
    const config = configOf(
      {
        modules: weights.map(({ step, tensor: { path } }) => {
          const { rank, alpha } = step.map.settingsOf(adapter);
          return { path, rank, alpha };
        }),
        ...facts,
        loraBias: biases.length > 0,
        bias,
        modulesToSave,
      },
      [...new Set(all.filter(({ refused }) => refused === null).map(({ path }) => path))],
      loaded,
    );
    tensors = scoped(caller, () => {
      const parts = [...weights, ...biases].flatMap(({ step, tensor }) => [
        ...partsOf(step, tensor, adapter),
        ...(saveEmbeddingLayers && tensor.isEmbedding
          ? [[peftKey('base_layer', tensor.path, tensor.name), baseOf(step)] as const]
          : []),
      ]);
      const plain = all
        .filter(({ path, name }) => isSaved(path, name, modulesToSave, bias, paths))
        .map((one) => [peftKey('plain', one.path, one.name), plainOf(caller, one, adapted)] as const);
      return Object.fromEntries([...parts, ...plain].map(([key, value]) => [key, tf.keep(tf.clone(value))]));
    });
    const text = configText(config);
    const metadata = writer.isSingleFile ? { format: 'pt', [CONFIG_KEY]: text } : { format: 'pt' };
    await writer.write(await writeSafetensors(tensors, metadata), text);
    return config;
  } catch (error) {
    throw named(caller, error);
  } finally {
    tf.dispose(tensors);
  }
}

/** Refuses modules that are no list of names, or that the model lacks. */
function checkModules(caller: string, modules: unknown, paths: readonly string[]): void {
  if (modules === undefined) return;
  if (!Array.isArray(modules) || !modules.every((name) => typeof name === 'string')) {
    throw refusal(
      'OPTION',
      caller,
      `modulesToSave is ${typeName(modules)}`,
      "Pass a list of paths: { modulesToSave: ['classifier'] }.",
    );
  }
  const unknown = modules.find((name) => !paths.some((path) => isWithin(path, [name])));
  if (unknown === undefined) return;
  throw refusal(
    'OPTION',
    caller,
    `the model has no module '${unknown}', which modulesToSave names`,
    didYouMean(unknown, paths),
  );
}

/** True if a list names a module, or a module that it is in. */
const isWithin = (path: string, modules: readonly string[] | null): boolean =>
  path.split('.').some((_, i, names) => namesModule(modules, names.slice(0, i + 1).join('.')));

const isSaved = (
  path: string,
  name: string,
  modules: readonly string[] | null,
  bias: string,
  adapted: ReadonlySet<string>,
): boolean => {
  if (name === 'bias' && (bias === 'all' || (bias === 'lora_only' && adapted.has(path)))) return true;
  return isWithin(path, modules);
};

function partsOf({ map }: AdapterStep, tensor: PeftTensor, adapter: string): (readonly [string, Tensor])[] {
  const { path, isEmbedding } = tensor;
  const own = Object.entries(map.dictionaries()).map(([part, dict]) => [part, dict.get(adapter)!] as const);
  return Object.entries(toPeft(tensor, Object.fromEntries(own))).flatMap(([part, value]) =>
    value === undefined ? [] : [[peftKey(part as PeftPart, path, '', isEmbedding), value] as const],
  );
}

/** Returns a tensor without adapters, in torch's layout. */
function plainOf(caller: string, one: PeftTensor, adapted: readonly AdapterStep[]): Tensor {
  const step = adapted.find(({ site }) => site.owner === one.host && site.name === one.tensor);
  return step === undefined ? plainValue(caller, one) : inTorch(one, baseOf(step));
}

/** Returns a tensor of a model without its adapters. */
const baseOf = ({ list, at }: AdapterStep): Tensor => list.inspect(list.steps.slice(0, at));
