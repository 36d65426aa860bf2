import { refusal } from '../../../core/errors.ts';
import type { CompleteSettings } from '../../../parametrizations/adapters/adapterOptions.ts';
import { Dora } from '../../../parametrizations/dora.ts';
import { LoraBias } from '../../../parametrizations/loraBias.ts';
import type { AdapterStep } from '../adapterSteps.ts';
import type { PeftTensor } from './peftModules.ts';

/** A map with an adapter that is saved, and its tensor. */
interface AdaptedTensor {
  readonly step: AdapterStep;
  readonly tensor: PeftTensor;
}

/** The maps of an adapter that is saved, and the facts about all of them that a config tells. */
export interface SavedModules {
  /** The maps of weights. */
  readonly weights: readonly AdaptedTensor[];
  /** The maps of biases: none, or that of the module of each weight. */
  readonly biases: readonly AdaptedTensor[];
  readonly useRslora: boolean;
  readonly useDora: boolean;
}

/**
 * Finds the modules of an adapter.
 *
 * @param steps - the maps that have the adapter
 * @param all - the tensors of the model
 * @throws {@link ParametrizeError} `UNSUPPORTED` with the reason for an adapter that PEFT cannot have
 */
export function savedModules(
  caller: string,
  steps: readonly AdapterStep[],
  all: readonly PeftTensor[],
  adapter: string,
): SavedModules {
  const found = steps.map((step) => ({ step, tensor: tensorOf(caller, all, step) }));
  const weights = found.filter(({ step }) => !isOfBias(step));
  const biases = found.filter(({ step }) => isOfBias(step));
  const settings = ({ step }: AdaptedTensor): CompleteSettings => step.map.settingsOf(adapter);
  const useDora = sameFor(caller, weights, 'dora', ({ step }) => step.map instanceof Dora);
  checkBiases(caller, weights, biases, useDora === true);
  for (const bias of biases) {
    const pair = [weights.find(({ tensor }) => tensor.path === bias.tensor.path)!, bias];
    for (const name of ['rank', 'alpha'] as const) sameFor(caller, pair, name, (one) => settings(one)[name]);
  }
  const useRslora = sameFor(caller, found, 'useRslora', (one) => settings(one).useRslora);
  return { weights, biases, useRslora: useRslora === true, useDora: useDora === true };
}

const isOfBias = ({ map }: AdapterStep): boolean => map instanceof LoraBias;

function tensorOf(caller: string, all: readonly PeftTensor[], step: AdapterStep): PeftTensor {
  const { site, path } = step;
  const found = all.find(({ host, tensor }) => host === site.owner && tensor === site.name);
  const reason = found === undefined ? 'torch has no such tensor' : refusedFor(step, found);
  if (reason === null) return found!;
  throw cannotSave(caller, path, reason);
}

function refusedFor(step: AdapterStep, { name, refused }: PeftTensor): string | null {
  if (!isOfBias(step)) return refused;
  return name === 'bias' ? null : `PEFT has such adapters of 'bias' only, not of '${name}'`;
}

/** A file has the bias of B for every module or for none. */
function checkBiases(
  caller: string,
  weights: readonly AdaptedTensor[],
  biases: readonly AdaptedTensor[],
  useDora: boolean,
): void {
  const paths = (found: readonly AdaptedTensor[]): string[] => found.map(({ tensor }) => tensor.path);
  const [ofWeights, ofBiases] = [paths(weights), paths(biases)];
  const alone = biases.find(({ tensor }) => !ofWeights.includes(tensor.path));
  if (alone !== undefined) {
    throw cannotSave(caller, alone.step.path, 'PEFT has it only beside an adapter of the weight');
  }
  if (biases.length > 0 && useDora) {
    throw cannotSave(caller, biases[0]!.step.path, 'PEFT has no bias of B beside dora');
  }
  const without =
    biases.length === 0 ? undefined : weights.find(({ tensor }) => !ofBiases.includes(tensor.path));
  if (without !== undefined) {
    throw cannotSave(
      caller,
      biases[0]!.step.path,
      `the module of '${without.step.path}' has no adapter of its bias, and PEFT has one for all modules of an adapter or for none`,
    );
  }
}

function sameFor<T>(
  caller: string,
  found: readonly AdaptedTensor[],
  what: string,
  of: (one: AdaptedTensor) => T,
): T | undefined {
  const [first, ...others] = found;
  if (first === undefined) return undefined;
  const other = others.find((one) => of(one) !== of(first));
  if (other === undefined) return of(first);
  throw refusal(
    'UNSUPPORTED',
    caller,
    `'${first.step.path}' and '${other.step.path}' differ in ${what}, and a file has one for all`,
    'Give adapters with other settings another name.',
  );
}

const cannotSave = (caller: string, path: string, reason: string): Error =>
  refusal(
    'UNSUPPORTED',
    caller,
    `the adapter of '${path}' cannot be saved: ${reason}`,
    'Save the model with saveCheckpoint.',
  );
