import type { Tensor } from '@tensorflow/tfjs-core';
import { CheckpointError, quoted } from '../../../checkpoint/checkpointError.ts';
import { refusal } from '../../../core/errors.ts';
import { formatShape } from '../../../core/shapes.ts';
import type { AdapterOptions, LoraBiasOptions } from '../../../parametrizations/adapters/adapterOptions.ts';
import { dora } from '../../../parametrizations/dora.ts';
import { lora } from '../../../parametrizations/lora.ts';
import { loraBias } from '../../../parametrizations/loraBias.ts';
import { type PeftConfig, ranksOf } from './peftConfig.ts';
import { checkFactors, type Factors, fromPeft, type ModuleParts, type PeftTensor } from './peftModules.ts';

/** A tensor of a model that gets an adapter of a file. */
export interface ReceivingTensor {
  readonly tensor: PeftTensor;
  /** The parts of the adapter in the layout of the host, by the names of the dictionaries of the map. */
  readonly parts: ModuleParts;
  /** Registers the map, or adds the adapter to the map that is there. */
  register(): void;
}

/**
 * Returns the tensors that get the parts of an adapter of a module: its weight, and its bias if B has one.
 *
 * @param known - the tensors of the model
 * @param adapter - the name of the adapter in the model
 * @throws {@link CheckpointError} `UNKNOWN_TENSOR` for a module that the model lacks; `UNSUPPORTED` with the reason;
 * `CORRUPT` for parts that contradict the config
 * @throws {@link ParametrizeError} `SHAPE`
 */
export function receivingTensors(
  caller: string,
  known: readonly PeftTensor[],
  [path, parts]: readonly [string, Factors],
  config: PeftConfig,
  adapter: string,
): ReceivingTensor[] {
  const weight = weightAt(known, path);
  const isTransposed =
    config.fan_in_fan_out === true && !weight.isLinear && !weight.isEmbedding && weight.shape.length === 2;
  checkFactors(caller, weight, parts, isTransposed);
  const { rank, alpha } = ranksOf(config, path);
  checkAgainstConfig(path, parts, config, rank);
  const settings = { rank, alpha, useRslora: config.use_rslora === true, adapter };
  const { lora_bias: bias, ...factors } = parts;
  return [
    target(
      weight,
      fromPeft(weight, factors),
      config.use_dora === true ? dora : lora,
      isTransposed ? { ...settings, dim: 1 } : settings,
    ),
    ...(bias === undefined ? [] : [biasTarget(caller, known, path, bias, settings)]),
  ];
}

const target = <O extends AdapterOptions | LoraBiasOptions>(
  tensor: PeftTensor,
  parts: ReceivingTensor['parts'],
  map: (host: never, name: never, options: O) => unknown,
  options: O,
): ReceivingTensor => ({
  tensor,
  parts,
  register: () => void map(tensor.host as never, tensor.tensor as never, options),
});

function weightAt(known: readonly PeftTensor[], path: string): PeftTensor {
  const found = known.find((one) => one.path === path && one.name === 'weight');
  if (found?.refused === null) return found;
  const reason =
    found?.refused ?? (isNested(path) ? 'it is an adapter of several parameters of a module' : null);
  if (reason !== null) {
    throw new CheckpointError(
      'UNSUPPORTED',
      `the adapter of ${quoted(path)} cannot be loaded: ${reason}`,
      'Merge it in PEFT.',
    );
  }
  throw new CheckpointError(
    'UNKNOWN_TENSOR',
    `the adapter has parts for ${quoted(path)}, and the model has no such weight`,
    'Load the adapter into the model that it was trained for. Layers of tf.layers need the names of the modules.',
  );
}

/** True for a module that PEFT wraps in a second layer. */
const isNested = (path: string): boolean => /(^|\.)base_layer(\.|$)/.test(path);

function biasTarget(
  caller: string,
  known: readonly PeftTensor[],
  path: string,
  bias: Tensor,
  settings: LoraBiasOptions,
): ReceivingTensor {
  const found = known.find((one) => one.path === path && one.name === 'bias');
  if (found === undefined) {
    throw new CheckpointError(
      'UNSUPPORTED',
      `the adapter of ${quoted(path)} has a bias of B, and the module has no bias that it could change`,
      'Give the module a bias of zeros, or merge the adapter in PEFT.',
    );
  }
  if (bias.size !== found.shape[0] || bias.rank !== 1) {
    throw refusal(
      'SHAPE',
      caller,
      `the bias of B of '${path}' has shape ${formatShape(bias.shape)}, the bias of the module ${formatShape(found.shape)}`,
      'Load the adapter into the model that it was trained for.',
    );
  }
  return target(found, fromPeft(found, { lora_bias: bias }), loraBias, settings);
}

/** The parts that a field of a config announces. */
const announced = [
  ['use_dora', 'lora_magnitude_vector', 'lora_magnitude_vector'],
  ['lora_bias', 'lora_bias', 'lora_B.bias'],
] as const;

function checkAgainstConfig(path: string, parts: Factors, config: PeftConfig, rank: number): void {
  const found = parts.lora_A.shape[0];
  if (found !== rank) {
    throw new CheckpointError(
      'CORRUPT',
      `the adapter of ${quoted(path)} has the rank ${found}, and its config says ${rank}`,
      'Load the config of the same adapter.',
    );
  }
  for (const [field, part, key] of announced) {
    const isWanted = config[field] === true;
    if ((parts[part] !== undefined) === isWanted) continue;
    throw new CheckpointError(
      'CORRUPT',
      isWanted
        ? `the adapter of ${quoted(path)} has no ${key}, and its config says ${field}`
        : `the adapter of ${quoted(path)} has ${key}, and its config does not say ${field}`,
      'Load the config of the same adapter.',
    );
  }
}
