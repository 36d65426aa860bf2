import type { io } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean } from '../../core/checkOptions.ts';
import { ParametrizeError } from '../../core/errors.ts';
import type { Catalog, TensorRecipe } from '../../stateDict/recipe.ts';
import type { LoadedState, StatefulModel, StateView } from '../../stateDict/stateView.ts';
import { named } from '../checkpointError.ts';
import { checkOpening, openingOptions } from '../file/checkOpening.ts';
import { checkFormatOptions, formatOptions } from '../formats/formats.ts';
import type { TorchOptions } from '../formats/torch/torchOptions.ts';
import { recipeIn } from '../metadata/recipeText.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { viewOf } from '../viewOf.ts';
import { checkLoading, checkRenamed } from './checkLoading.ts';
import { type CheckpointReport, checkpointReport } from './checkpointReport.ts';
import { followingRecipe } from './followingRecipe.ts';
import { selectTensors } from './match/selectTensors.ts';
import { matchedRecipe } from './matchedRecipe.ts';
import { readState, type StoredState } from './readState.ts';
import { mergeSelected, tiesOf } from './selectedTies.ts';
import type { Rename, Selection } from './selectState.ts';
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
  const names = ['prefix', 'rename', 'strict', 'catalog', ...openingOptions, ...formatOptions];
  checkOpening('loadCheckpoint', options, names);
  checkFormatOptions('loadCheckpoint', { ...options });
  const { strict = true, prefix, rename, catalog, ...opening } = options;
  checkBoolean('loadCheckpoint', 'strict', strict);
  checkLoading('loadCheckpoint', { prefix, rename, catalog });
  try {
    const view = await viewOf('loadCheckpoint', model, async (kind) => {
      const { TorchStateView } = await import('../../stateDict/torchStateView.ts');
      return new TorchStateView(kind, 'loadCheckpoint', model);
    });
    const isAsked = (key: string): boolean => view.partOf(key) !== undefined;
    const select = async (stored: StoredNames): Promise<Selection> => {
      const selection = await selectTensors(stored, view, { prefix, rename, strict });
      checkRenamed(rename, selection, stored.names);
      return mergeSelected(selection, stored, view.ties, isAsked);
    };
    // A recipe has keys of its own.
    const isAll = catalog === undefined && !view.takesOtherKeys;
    const state = await readState(source, opening, select, { isAsked, isAll });
    try {
      const recipe = matchedRecipe(recipeOfFile(state.metadata, catalog), state.selection);
      const { tensors } = state;
      const loaded = followingRecipe(() => view.load({ tensors, strict, recipe, catalog, ...loadingNames }));
      return reportOf(view, state, loaded);
    } finally {
      tf.dispose(state.tensors);
    }
  } catch (error) {
    throw named('loadCheckpoint', error);
  }
}

/** A state dict is loaded by the caller's function, from a file. */
const loadingNames = { caller: 'loadCheckpoint', what: 'file' };

/** The recipe of a file; without a catalog it only tells axes, and one that cannot be read tells none. */
function recipeOfFile(
  metadata: Readonly<Record<string, string>>,
  catalog: Catalog | undefined,
): TensorRecipe[] {
  try {
    return recipeIn(metadata) ?? [];
  } catch (error) {
    if (catalog !== undefined) throw error;
    return [];
  }
}

function reportOf(view: StateView, state: StoredState, loaded: LoadedState): CheckpointReport {
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
    notes: [...view.notes.map((text) => ({ kind: 'model', text }) as const), ...state.notes],
  });
}
