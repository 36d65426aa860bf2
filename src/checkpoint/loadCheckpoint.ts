import type { io, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../errors.ts';
import { applyRecipe, type Catalog } from '../model/recipe.ts';
import type { KeyMapping } from '../nn/hooks.ts';
import type { Module } from '../nn/module.ts';
import { checkBoolean, checkOptions } from '../nn/options.ts';
import type { CheckpointSource, OpenOptions } from './byteSource.ts';
import { checkModule } from './checkModule.ts';
import { CheckpointError, named } from './checkpointError.ts';
import { type CheckpointReport, checkpointReport } from './checkpointReport.ts';
import { isIOHandler, loadArtifacts, loadHandlerFor, schemeOf } from './ioHandler.ts';
import { knownKeys } from './knownKeys.ts';
import { openCheckpoint } from './openCheckpoint.ts';
import type { TorchOptions } from './parseTorch.ts';
import { recipeIn } from './recipeText.ts';
import { type Rename, type Selection, selectState } from './selectState.ts';

/** Options of {@link loadCheckpoint}. */
export interface LoadCheckpointOptions extends OpenOptions, TorchOptions {
  /** What stands in front of the keys of the state dict in the file. Default: what fits the model best. */
  readonly prefix?: string;
  /** Other names for keys, without the prefix; null leaves one out. */
  readonly rename?: Rename;
  /** Whether a missing or unexpected key is an error. Default true. */
  readonly strict?: boolean;
  /**
   * The functions that may parametrize the model as the recipe in the file says: `{ weightNorm, spectralNorm }`. Without it no
   * recipe is followed, and what is normalized in the file is folded into plain weights.
   */
  readonly catalog?: Catalog;
}

/**
 * Loads a checkpoint into a module: safetensors or a file of `torch.save`, by what is in it; or what `saveCheckpoint` gave to
 * `tf.io`. The state dict is found in what wraps it, and weights may be spelled otherwise than in the model.
 *
 * @remarks
 * **State**: parameters and buffers; with a recipe in the file and a `catalog`, also parametrizations. All or nothing.
 *
 * @param source - bytes, a `Blob`, `File` or `Response`, a URL, a path in Node.js, an `IOHandler`, or a URL of `tf.io`
 * (`indexeddb://name`)
 * @returns what was done with each key; as a string a table of it
 * @throws {@link CheckpointError} for everything that is wrong with the file; `AMBIGUOUS`, `UNKNOWN_RECIPE`, `OPTION`
 * @throws {@link StateDictError} if the state dict does not fit the model
 * @example
 * ```ts
 * const report = await loadCheckpoint(generator, 'g_02500000.pt', { prefix: 'generator' });
 * console.log(String(report));
 * ```
 */
export async function loadCheckpoint(
  model: Module,
  source: CheckpointSource | io.IOHandler,
  options: LoadCheckpointOptions = {},
): Promise<CheckpointReport> {
  checkModule('loadCheckpoint', model);
  const names = ['prefix', 'rename', 'strict', 'catalog', 'onProgress', 'signal', 'checkCrc'];
  checkOptions('loadCheckpoint', options, names);
  const { strict = true, prefix, rename, catalog, ...opening } = options;
  checkBoolean('loadCheckpoint', 'strict', strict);
  try {
    const state = await readState(source, opening, (all) =>
      selectState(all, knownKeys(model), prefix, rename),
    );
    try {
      return load(model, state, strict, catalog);
    } finally {
      tf.dispose(state.tensors);
    }
  } catch (error) {
    throw named('loadCheckpoint', error);
  }
}

interface State {
  readonly tensors: NamedTensorMap;
  readonly metadata: Readonly<Record<string, string>>;
  readonly selection: Selection;
}

/** The tensors of the state dict by key, tied ones once. The caller's. */
async function readState(
  source: CheckpointSource | io.IOHandler,
  options: OpenOptions & TorchOptions,
  select: (names: readonly string[]) => Selection,
): Promise<State> {
  const scheme = schemeOf(source);
  if (scheme !== null || isIOHandler(source)) {
    const handler = isIOHandler(source) ? source : loadHandlerFor(source as string);
    const { tensors: all, metadata } = await loadArtifacts(handler);
    try {
      const selection = select(Object.keys(all));
      const tensors = [...selection.keys].map(([key, name]): [string, Tensor] => [key, all[name]!.clone()]);
      return { tensors: Object.fromEntries(tensors), metadata, selection };
    } finally {
      tf.dispose(all);
    }
  }
  const file = await openCheckpoint('loadCheckpoint', source as CheckpointSource, options);
  try {
    const selection = select(file.names);
    const first = new Map(file.ties.flatMap((group) => group.map((name) => [name, group[0]!] as const)));
    const made = new Map<string, Tensor>();
    try {
      for (const name of selection.keys.values()) {
        const one = first.get(name) ?? name;
        if (!made.has(one)) made.set(one, await file.tensor(one));
      }
    } catch (error) {
      tf.dispose([...made.values()]);
      throw error;
    }
    const tensors = [...selection.keys].map(([key, name]): [string, Tensor] => [
      key,
      made.get(first.get(name) ?? name)!,
    ]);
    return { tensors: Object.fromEntries(tensors), metadata: file.metadata, selection };
  } finally {
    await file.close();
  }
}

function load(
  model: Module,
  { tensors, metadata, selection }: State,
  strict: boolean,
  catalog: Catalog | undefined,
): CheckpointReport {
  const registered = catalog === undefined ? [] : register(model, tensors, metadata, strict, catalog);
  const { mapped, missingKeys, unexpectedKeys } = model.loadStateDict(tensors, { strict });
  const { prefix, keys, skipped } = selection;
  const nameOf = (key: string): string => keys.get(key) ?? key;
  const explained = new Set([...mapped.flatMap(({ from }) => from), ...unexpectedKeys]);
  const direct = [...keys.keys()].filter((key) => !explained.has(key));
  const all: KeyMapping[] = [
    ...direct.map((key) => ({ from: [nameOf(key)], to: [key], rule: 'as it is' })),
    ...mapped.map(({ from, to, rule }) => ({ from: from.map(nameOf), to, rule })),
  ];
  return checkpointReport({
    prefix,
    mapped: all,
    folded: all.filter(({ rule }) => rule === 'g · v / ‖v‖' || rule === 'W / σ'),
    missing: missingKeys,
    unexpected: unexpectedKeys.map(nameOf),
    skipped,
    registered,
  });
}

/** Follows the recipe in the file: on a copy first, so that what does not work out leaves the model as it is. */
function register(
  model: Module,
  tensors: NamedTensorMap,
  metadata: Readonly<Record<string, string>>,
  strict: boolean,
  catalog: Catalog,
): string[] {
  const recipe = recipeIn(metadata);
  if (recipe === null) return [];
  const copy = model.clone();
  try {
    applyRecipe(copy, recipe, catalog);
    copy.loadStateDict(tensors, { strict });
  } catch (error) {
    if (error instanceof ParametrizeError && error.code === 'UNKNOWN_RECIPE') {
      throw new CheckpointError('UNKNOWN_RECIPE', error.message);
    }
    throw error;
  } finally {
    copy.dispose();
  }
  return applyRecipe(model, recipe, catalog);
}
