import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { named } from '../../../checkpoint/checkpointError.ts';
import { writeSafetensors } from '../../../checkpoint/formats/safetensors/writeSafetensors.ts';
import { checkBoolean, checkChoice, checkOptions } from '../../../core/checkOptions.ts';
import { refusal } from '../../../core/errors.ts';
import { scoped } from '../../../engine/scope.ts';
import { rawOf } from '../../../nn/module/rawOf.ts';
import { Dora } from '../../../parametrizations/dora.ts';
import { type AdapterStep, adapterSteps, checkNames } from '../adapterSteps.ts';
import { type AdapterTarget, adapterWriter, files } from './adapterFiles.ts';
import { configText, namesModule, type PeftConfig } from './peftConfig.ts';
import { peftKey } from './peftKeys.ts';
import { type Factors, type PeftTensor, peftTensors, plainValue, toPeft } from './peftModules.ts';
import { configOf } from './savedConfig.ts';

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
 * @param target - the path of a folder, or a function that gets each file
 * @returns the config
 * @throws {@link ParametrizeError} `OPTION` for an adapter that the model lacks; `UNSUPPORTED` with the reason for an
 * adapter that PEFT cannot have: of a transposed convolution, of groups, of a recurrent kernel, or of `lora` and `dora`
 * together
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
    const write = adapterWriter(target);
    const steps = adapterSteps(caller, model).filter(({ map }) => map.adapterNames.includes(adapter));
    if (steps.length === 0) checkNames(caller, adapterSteps(caller, model), [adapter]);
    const all = peftTensors(caller, model);
    const loaded = loadedConfigs.get(rawOf(model))?.get(adapter) ?? {};
    const { bias = loaded.bias ?? 'none', modulesToSave = loaded.modules_to_save ?? null } = options;
    checkChoice(caller, 'bias', bias, ['none', 'all', 'lora_only']);
    const found = steps.map((step) => ({ step, tensor: tensorOf(caller, all, step) }));
    const paths = new Set(found.map(({ tensor }) => tensor.path));
    const config = configOf(
      {
        modules: found.map(({ step, tensor: { path } }) => {
          const { rank, alpha } = step.map.settingsOf(adapter);
          return { path, rank, alpha };
        }),
        useRslora: sameFor(caller, steps, 'useRslora', ({ map }) => map.settingsOf(adapter).useRslora),
        useDora: sameFor(caller, steps, 'dora', ({ map }) => map instanceof Dora),
        bias,
        modulesToSave,
      },
      [...new Set(all.filter(({ refused }) => refused === null).map(({ path }) => path))],
      loaded,
    );
    tensors = scoped(caller, () => {
      const parts = found.flatMap(({ step, tensor }) => [
        ...partsOf(step, tensor, adapter),
        ...(saveEmbeddingLayers && tensor.isEmbedding
          ? [[peftKey('base_layer', tensor.path, tensor.name), baseOf(step)] as const]
          : []),
      ]);
      const plain = all
        .filter(({ path, name }) => isSaved(path, name, modulesToSave, bias, paths))
        .map((one) => [peftKey('plain', one.path, one.name), plainValue(caller, one)] as const);
      return Object.fromEntries([...parts, ...plain].map(([key, value]) => [key, tf.keep(tf.clone(value))]));
    });
    const bytes = await writeSafetensors(tensors, { format: 'pt' });
    await write(
      new Map([
        [files.config, new TextEncoder().encode(configText(config))],
        [files.model, bytes],
      ]),
    );
    return config;
  } catch (error) {
    throw named(caller, error);
  } finally {
    tf.dispose(tensors);
  }
}

const isSaved = (
  path: string,
  name: string,
  modules: readonly string[] | null,
  bias: string,
  adapted: ReadonlySet<string>,
): boolean => {
  if (name === 'bias' && (bias === 'all' || (bias === 'lora_only' && adapted.has(path)))) return true;
  return path.split('.').some((_, i, names) => namesModule(modules, names.slice(0, i + 1).join('.')));
};

function tensorOf(caller: string, all: readonly PeftTensor[], { site, path }: AdapterStep): PeftTensor {
  const found = all.find(({ host, tensor }) => host === site.owner && tensor === site.name);
  const reason = found === undefined ? 'torch has no such tensor' : found.refused;
  if (reason === null) return found!;
  throw refusal(
    'UNSUPPORTED',
    caller,
    `the adapter of '${path}' cannot be saved: ${reason}`,
    'Save the model with saveCheckpoint.',
  );
}

function sameFor<T>(
  caller: string,
  steps: readonly AdapterStep[],
  what: string,
  of: (step: AdapterStep) => T,
): T {
  const [first, ...others] = steps as [AdapterStep, ...AdapterStep[]];
  const other = others.find((step) => of(step) !== of(first));
  if (other === undefined) return of(first);
  throw refusal(
    'UNSUPPORTED',
    caller,
    `'${first.path}' and '${other.path}' differ in ${what}, and a file has one for all`,
    'Give adapters with other settings another name.',
  );
}

function partsOf({ map }: AdapterStep, tensor: PeftTensor, adapter: string): (readonly [string, Tensor])[] {
  const { path, isEmbedding } = tensor;
  const own: Factors = {
    lora_A: map.lora_A.get(adapter)!,
    lora_B: map.lora_B.get(adapter)!,
    lora_magnitude_vector: map instanceof Dora ? map.lora_magnitude_vector.get(adapter) : undefined,
  };
  const { lora_A, lora_B, lora_magnitude_vector: m } = toPeft(tensor, own);
  return [
    [peftKey('lora_A', path, '', isEmbedding), lora_A],
    [peftKey('lora_B', path, '', isEmbedding), lora_B],
    ...(m === undefined ? [] : [[peftKey('lora_magnitude_vector', path), m] as const]),
  ];
}

/** Returns the table of an embedding without adapters. */
const baseOf = ({ list, at }: AdapterStep): Tensor => list.inspect(list.steps.slice(0, at));
