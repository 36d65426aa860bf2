import type { io, Optimizer } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean } from '../../core/checkOptions.ts';
import { ParametrizeError } from '../../core/errors.ts';
import type { Catalog, TensorRecipe } from '../../stateDict/recipe.ts';
import type { LoadedState, StatefulModel, StateView } from '../../stateDict/stateView.ts';
import { named } from '../checkpointError.ts';
import { checkOpening, openingOptions } from '../file/checkOpening.ts';
import { checkFormatOptions, formatOptions } from '../formats/formats.ts';
import type { TorchOptions } from '../formats/torch/torchOptions.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { viewOf } from '../viewOf.ts';
import { checkLoading, checkRenamed } from './checkLoading.ts';
import { type CheckpointReport, checkpointReport } from './checkpointReport.ts';
import { followingRecipe } from './followingRecipe.ts';
import { selectTensors } from './match/selectTensors.ts';
import { matchedRecipe } from './matchedRecipe.ts';
import type { OptimizerReport } from './optimizerReport.ts';
import { type OwnerPaths, ownerPaths } from './ownerPaths.ts';
import { readState, type StoredState } from './readState.ts';
import { mergeSelected, tiesOf } from './selectedTies.ts';
import type { Rename, Selection } from './selectState.ts';
import type { StoredNames } from './storedNames.ts';

/** Options of {@link loadCheckpoint}. */
export interface LoadCheckpointOptions extends OpenOptions, TorchOptions {
  /** The prefix of the keys of the state dict in the file. Default: the prefix that fits the model best. */
  readonly prefix?: string;
  /** Other names for keys, without the prefix. Null leaves a key out. */
  readonly rename?: Rename;
  /** True if a missing or unexpected key is an error. Default true. */
  readonly strict?: boolean;
  /**
   * The functions that may parametrize the model by the recipe in the file: `{ weightNorm, spectralNorm }`. Without it
   * no recipe is followed, and normalized weights in the file are folded into plain weights.
   */
  readonly catalog?: Catalog;
  /**
   * The optimizer that gets the state of an optimizer in the file, in place of all of its state: moments by the paths
   * of parameters, counters, iterations and learning rate. It has the class of the saved one. For groups, each
   * optimizer gets the state of the optimizer in its place.
   */
  readonly optimizer?: Optimizer;
}

/**
 * Loads a checkpoint into a module, or into a model of tf.layers (after `import 'tfjs-parametrize/layers'`):
 * safetensors or a file of `torch.save`, recognized by its content, or a model that `saveCheckpoint` saved by `tf.io`.
 * The state dict is found inside of its wrappers. Weights may have another key format than in the model.
 *
 * The layers of a model of tf.layers get the tensors of the modules with their names, converted to their layout. A
 * layer without a name in the file gets the module that fits only this layer. If several fit, the error is `AMBIGUOUS`.
 *
 * @remarks
 * **State**: parameters and buffers; with a recipe in the file and a `catalog`, also parametrizations; with
 * `optimizer`, its state. A failed call changes nothing.
 *
 * @param source - bytes, a `Blob`, `File` or `Response`, a URL, a path in Node.js, an `IOHandler`, or a URL of `tf.io`
 * (`indexeddb://name`)
 * @returns the report about each key, which prints as a table
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT`, `CORRUPT`, `UNSAFE`, `UNREADABLE` and the other codes of files;
 * `AMBIGUOUS`, `UNKNOWN_RECIPE`, `OPTION`
 * @throws {@link StateDictError} if the state dict does not fit the model
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` for another object, and for a model that is not built; `DISPOSED`
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
  return loadCheckpointAs('loadCheckpoint', model, source, options);
}

/**
 * {@link loadCheckpoint} for a function that reads files of its own.
 *
 * @param caller - the function, for messages
 * @param around - gets the names of the tensors in the file by key, and runs the synchronous part that changes the
 *   model
 */
export async function loadCheckpointAs(
  caller: string,
  model: StatefulModel,
  source: CheckpointSource | io.IOHandler,
  options: LoadCheckpointOptions,
  around: (keys: ReadonlyMap<string, string>, load: () => LoadedState) => LoadedState = (_, load) => load(),
): Promise<CheckpointReport> {
  const names = ['prefix', 'rename', 'strict', 'catalog', 'optimizer', ...openingOptions, ...formatOptions];
  checkOpening(caller, options, names);
  checkFormatOptions(caller, { ...options });
  const { strict = true, prefix, rename, catalog, optimizer, ...opening } = options;
  checkBoolean(caller, 'strict', strict);
  checkLoading(caller, { prefix, rename, catalog });
  try {
    const restoring = optimizer && (await import('./optimizerLoading.ts')).optimizerLoading(model, optimizer);
    const view = await viewOf(caller, model, async (kind) => {
      const { TorchStateView } = await import('../../stateDict/torchStateView.ts');
      return new TorchStateView(kind, caller, model);
    });
    let owners: OwnerPaths = () => null;
    let recipe: readonly TensorRecipe[] = [];
    const isAsked = (key: string): boolean => view.partOf(view.ties.sourceOf(key)) !== undefined;
    const select = async (names: StoredNames): Promise<Selection> => {
      recipe = await recipeOfFile(names.metadata, catalog);
      const stored = await shaped(names, recipe, catalog);
      const selection = await selectTensors(stored, view, { prefix, rename, strict });
      checkRenamed(rename, selection, stored.names);
      owners = ownerPaths(selection, view);
      const merged = mergeSelected(selection, stored, view.ties, isAsked);
      return restoring ? merged : { ...merged, skipped: [...merged.skipped, ...stored.optimizer] };
    };
    // A recipe has additional keys.
    const isAll = catalog === undefined && !view.takesOtherKeys;
    const state = await readState(source, opening, select, {
      isAsked,
      isAll,
      ...(restoring && { others: restoring.names }),
    });
    try {
      recipe = matchedRecipe(recipe, state.selection, owners);
      const hasTies = catalog !== undefined && recipe.some(({ tiedTo }) => tiedTo !== undefined);
      const tie = hasTies ? (await import('../../stateDict/registerTie.ts')).registerTie : undefined;
      const { tensors } = state;
      const load = (): LoadedState =>
        around(state.selection.keys, () =>
          followingRecipe(() => view.load({ tensors, strict, recipe, catalog, tie, caller, what: 'file' })),
        );
      if (!restoring) return reportOf(view, state, load(), null);
      const { loaded, report } = restoring.load(state, { strict, rename, owners }, load);
      return reportOf(view, state, loaded, report);
    } finally {
      tf.dispose([state.tensors, state.others]);
    }
  } catch (error) {
    throw named(caller, error);
  }
}

/** Returns the names of a file with the shapes of the weights of its recipe. */
async function shaped(
  stored: StoredNames,
  recipe: readonly TensorRecipe[],
  catalog: Catalog | undefined,
): Promise<StoredNames> {
  if (recipe.length === 0) return stored;
  const { withWholeShapes } = await import('./wholeShapes.ts');
  return withWholeShapes(stored, recipe, catalog);
}

/** Returns the recipe of a file. Without a catalog, only its axes are used, and an unreadable recipe counts as none. */
async function recipeOfFile(
  metadata: Readonly<Record<string, string>>,
  catalog: Catalog | undefined,
): Promise<readonly TensorRecipe[]> {
  try {
    const { recipeIn } = await import('../metadata/recipeText.ts');
    return recipeIn(metadata) ?? [];
  } catch (error) {
    if (catalog !== undefined) throw error;
    return [];
  }
}

function reportOf(
  view: StateView,
  state: StoredState,
  loaded: LoadedState,
  optimizer: OptimizerReport | null,
): CheckpointReport {
  const { selection, placeholders } = state;
  const { prefix, keys, skipped, unexpected = [] } = selection;
  const nameOf = (key: string): string => keys.get(key) ?? key;
  const mapped = loaded.mapped.map(({ from, to, actions }) => ({ from: from.map(nameOf), to, actions }));
  return checkpointReport({
    prefix,
    mapped,
    folded: mapped.filter((_, i) => loaded.mapped[i]!.isFolded),
    missing: loaded.missingKeys,
    unexpected: [...loaded.unexpectedKeys.map(nameOf), ...unexpected],
    skipped,
    ties: tiesOf(selection, view.ties),
    registered: loaded.registered,
    placeholders,
    optimizer,
    notes: [...view.notes.map((text) => ({ kind: 'model', text }) as const), ...state.notes],
  });
}
