import type { io } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean } from '../../core/checkOptions.ts';
import { ParametrizeError } from '../../core/errors.ts';
import type { LoadStateDictReport } from '../../nn/module/hooks.ts';
import { loadStateDict } from '../../nn/module/loadStateDict.ts';
import type { Module } from '../../nn/module/module.ts';
import { tiedKeysOf } from '../../nn/module/tiedKeysOf.ts';
import type { KeyMapping } from '../../nn/stateDict/keyMapping.ts';
import { isFold } from '../../nn/stateDict/keyMapping.ts';
import type { TiedKeys } from '../../nn/stateDict/tiedKeys.ts';
import { type StatefulModel, stateKindOf } from '../../stateDict/modelState.ts';
import { applyingRecipe, type Catalog, type TensorRecipe } from '../../stateDict/recipe.ts';
import { CheckpointError, named } from '../checkpointError.ts';
import { checkOpening, openingOptions } from '../file/checkOpening.ts';
import { checkFormatOptions, formatOptions } from '../formats/formats.ts';
import type { TorchOptions } from '../formats/torch/torchOptions.ts';
import { recipeIn } from '../metadata/recipeText.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { checkLoading, checkRenamed } from './checkLoading.ts';
import { checkModel } from './checkModel.ts';
import { type CheckpointReport, checkpointReport } from './checkpointReport.ts';
import { followingRecipe } from './followingRecipe.ts';
import { hasLoadingHooks, knownKeys } from './knownKeys.ts';
import { keysOfParts } from './match/partKeys.ts';
import { selectParts } from './match/selectParts.ts';
import { readState, type StoredState } from './readState.ts';
import { mergeSelected, tiesOf } from './selectedTies.ts';
import { type Rename, type Selection, selectState } from './selectState.ts';
import type { StoredNames } from './storedNames.ts';

/** Options of {@link loadCheckpoint}. */
export interface LoadCheckpointOptions extends OpenOptions, TorchOptions {
  /** The text in front of the keys of the state dict in the file. Default: the text that fits the model best. */
  readonly prefix?: string;
  /** Other names for keys, without the prefix; null leaves one out. */
  readonly rename?: Rename;
  /** True if a missing or unexpected key is an error. Default true. */
  readonly strict?: boolean;
  /**
   * The functions that may parametrize the model as the recipe in the file says: `{ weightNorm, spectralNorm }`.
   * Without it no recipe is followed, and what is normalized in the file is folded into plain weights.
   */
  readonly catalog?: Catalog;
}

/**
 * Loads a checkpoint into a module, or into a model of tf.layers (after `import 'tfjs-parametrize/layers'`):
 * safetensors or a file of `torch.save`, by what is in it; or what `saveCheckpoint` gave to `tf.io`. The state dict is
 * found in what wraps it, and weights may be in another key format than in the model.
 *
 * The layers of a model of tf.layers get the tensors of the modules of their names, in their own layout. Layers without
 * a name of the file get those that only they fit; if several fit, the error is `AMBIGUOUS`.
 *
 * @remarks
 * **State**: parameters and buffers; with a recipe in the file and a `catalog`, also parametrizations. All or nothing.
 *
 * @param source - bytes, a `Blob`, `File` or `Response`, a URL, a path in Node.js, an `IOHandler`, or a URL of `tf.io`
 * (`indexeddb://name`)
 * @returns what was done with each key; as a string a table of it
 * @throws {@link CheckpointError} for everything that is wrong with the file; `AMBIGUOUS`, `UNKNOWN_RECIPE`, `OPTION`
 * @throws {@link StateDictError} if the state dict does not fit the model
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` for anything else, and for a model that is not built; `DISPOSED`
 * @example
 * ```ts
 * const report = await loadCheckpoint(generator, 'g_02500000.pt', { prefix: 'generator' });
 * console.log(String(report));
 * ```
 */
export async function loadCheckpoint(
  model: StatefulModel,
  source: CheckpointSource | io.IOHandler,
  options: LoadCheckpointOptions = {},
): Promise<CheckpointReport> {
  checkModel('loadCheckpoint', model);
  const names = ['prefix', 'rename', 'strict', 'catalog', ...openingOptions, ...formatOptions];
  checkOpening('loadCheckpoint', options, names);
  checkFormatOptions('loadCheckpoint', { ...options });
  const { strict = true, prefix, rename, catalog, ...opening } = options;
  checkBoolean('loadCheckpoint', 'strict', strict);
  checkLoading('loadCheckpoint', { prefix, rename, catalog });
  try {
    const kind = stateKindOf(model);
    const view = kind?.stateOf('loadCheckpoint', model);
    const ties = view === undefined ? tiedKeysOf(model as Module) : view.ties;
    const keys = view === undefined ? knownKeys(model as Module) : keysOfParts(view);
    const isKnown = (key: string): boolean => keys.has(key);
    // A recipe, a hook of the model and chains of layers have keys of their own.
    const isAll = view === undefined && catalog === undefined && !hasLoadingHooks(model as Module);
    const select = (stored: StoredNames): Selection => {
      const selection =
        view === undefined
          ? selectState(stored.names, isKnown, prefix, rename)
          : selectParts(stored, view, { prefix, rename, strict });
      checkRenamed(rename, selection, stored.names);
      return mergeSelected(selection, stored, ties, isKnown);
    };
    // Modules need no views, and with them no maps and no kernels.
    const views = view === undefined ? null : await import('./loadView.ts');
    const state = await readState(source, opening, select, { keys, isAll });
    try {
      return kind === undefined || view === undefined || views === null
        ? load(model as Module, state, ties, strict, catalog)
        : views.loadView(kind, model, view, state, strict, catalog);
    } finally {
      tf.dispose(state.tensors);
    }
  } catch (error) {
    throw named('loadCheckpoint', error);
  }
}

/** A state dict is loaded by the caller's function, from a file. */
const loadingNames = { caller: 'loadCheckpoint', what: 'file' };

function load(
  model: Module,
  { tensors, metadata, selection, placeholders, notes }: StoredState,
  ties: TiedKeys,
  strict: boolean,
  catalog: Catalog | undefined,
): CheckpointReport {
  const recipe = catalog === undefined ? null : recipeIn(metadata);
  const loadTensors = (): LoadStateDictReport => loadStateDict(model, tensors, { strict }, loadingNames);
  const { registered, report } =
    recipe === null
      ? { registered: [], report: loadTensors() }
      : follow(model, recipe, catalog!, loadTensors);
  const { mapped, missingKeys, unexpectedKeys } = report;
  const { prefix, keys, skipped } = selection;
  const nameOf = (key: string): string => keys.get(key) ?? key;
  const explained = new Set([...mapped.flatMap(({ from }) => from), ...unexpectedKeys]);
  const direct = [...keys.keys()].filter((key) => !explained.has(key));
  const all: KeyMapping[] = [
    ...direct.map((key) => ({ from: [nameOf(key)], to: [key], actions: [] })),
    ...mapped.map(({ from, to, actions }) => ({ from: from.map(nameOf), to, actions })),
  ];
  return checkpointReport({
    prefix,
    mapped: all,
    folded: all.filter(isFold),
    missing: missingKeys,
    unexpected: unexpectedKeys.map(nameOf),
    skipped,
    ties: tiesOf(selection, ties),
    registered,
    placeholders,
    notes,
  });
}

interface Loaded {
  /** The tensors that the recipe of the file was followed on. */
  readonly registered: readonly string[];
  readonly report: LoadStateDictReport;
}

/** Follows the recipe in the file and loads its tensors: both, or nothing. */
function follow(
  model: Module,
  recipe: readonly TensorRecipe[],
  catalog: Catalog,
  load: () => LoadStateDictReport,
): Loaded {
  return followingRecipe(() =>
    applyingRecipe(model, recipe, catalog, (registered) => ({ registered, report: load() })),
  );
}
