import type { io, NamedTensorMap, Optimizer } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import type { KeyFormat } from '../../nn/stateDict/keyFormat.ts';
import type { StatefulModel } from '../../stateDict/stateView.ts';
import { TorchStateView } from '../../stateDict/torchStateView.ts';
import { CheckpointError, named } from '../checkpointError.ts';
import { writeSafetensors } from '../formats/safetensors/writeSafetensors.ts';
import { layerOrderTexts } from '../metadata/layerOrder.ts';
import { recipeKey, recipeText } from '../metadata/recipeText.ts';
import { saveArtifacts, saveHandlerFor } from '../source/ioHandler.ts';
import { isIOHandler, schemeOf } from '../source/ioScheme.ts';
import { isNode, pathOf, writeNodeFile } from '../source/nodeFile.ts';
import { viewOf } from '../viewOf.ts';
import { checkFileName } from './checkFileName.ts';
import { savedOptimizer } from './savedOptimizer.ts';
import { savedState } from './savedState.ts';
import { writtenOnce } from './writtenOnce.ts';

/**
 * The target of a saved checkpoint: a path or `file:` URL in Node.js, a stream (for example of
 * `FileSystemFileHandle.createWritable()`), an `IOHandler` of tfjs, or a URL of `tf.io`: `indexeddb://name`,
 * `localstorage://name`, `downloads://name`.
 */
export type CheckpointTarget = string | URL | WritableStream<Uint8Array> | io.IOHandler;

/** Options of {@link saveCheckpoint}. */
export interface SaveCheckpointOptions {
  /** The key format of normalized weights, as for `stateDict`. Default: the format of the module. */
  readonly keyFormat?: KeyFormat;
  /** Further texts for the metadata of the file. */
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * The optimizer whose state is saved, too: one of tfjs, or one that `clipGradients` or `groupOptimizer` made of them.
   * State goes by the paths of parameters, and `loadCheckpoint(model, source, { optimizer })` restores it.
   */
  readonly optimizer?: Optimizer;
}

/**
 * Saves the state dict of a module or of a model of tf.layers, with torch's names and layout. Files and streams get
 * safetensors; `tf.io` gets its own format. The recipe of the parametrizations (tensors, kinds, options) is saved, too,
 * so `loadCheckpoint` can register them again on a plain module. The key format `folded` has plain weights and no
 * recipe.
 *
 * A tensor with several keys is written once. The metadata list its other keys, as `save_model` of safetensors writes
 * them.
 *
 * The file has the state at the moment of the call, even if training continues meanwhile.
 *
 * With `optimizer`, the file also has its state, so that training continues exactly after `loadCheckpoint`. It is no
 * part of the state dict: without `optimizer`, `loadCheckpoint` skips it.
 *
 * @throws {@link CheckpointError} `OPTION`, `DTYPE`, `UNREADABLE` if the file cannot be written
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the model is neither a module nor a known model of tf.layers
 * @example
 * ```ts
 * await saveCheckpoint(model, 'model.safetensors', { keyFormat: 'modern' });
 * await saveCheckpoint(model, 'indexeddb://model');
 * ```
 */
export async function saveCheckpoint(
  model: StatefulModel,
  target: CheckpointTarget,
  options: SaveCheckpointOptions = {},
): Promise<void> {
  checkOptions('saveCheckpoint', options, ['keyFormat', 'metadata', 'optimizer']);
  const { keyFormat, metadata = {}, optimizer } = options;
  if (optimizer !== undefined && keyFormat === 'folded') {
    const fact = 'the key format folded leaves out the originals that an optimizer has state of';
    throw refusal('OPTION', 'saveCheckpoint', fact, 'Leave out one of keyFormat and optimizer.');
  }
  let tensors: NamedTensorMap = {};
  try {
    const view = viewOf('saveCheckpoint', model, (kind) => new TorchStateView(kind, 'saveCheckpoint', model));
    const write = writerFor(target);
    const state = savedState(view, model, keyFormat);
    tensors = state.tensors;
    const recipe = keyFormat === 'folded' ? [] : state.recipe;
    // Tools of Hugging Face need the framework that names the tensors.
    const texts = {
      format: 'pt',
      ...metadata,
      ...(recipe.length > 0 && { [recipeKey]: recipeText(recipe) }),
      ...layerOrderTexts(view),
    };
    const once = writtenOnce(tensors, view.ties, metadata);
    const { tensors: slots, texts: notes } =
      optimizer === undefined
        ? { tensors: {}, texts: {} }
        : savedOptimizer('saveCheckpoint', model, optimizer);
    tensors = { ...tensors, ...slots };
    await write({ ...once.tensors, ...slots }, { ...texts, ...notes, ...once.aliases });
  } catch (error) {
    throw named('saveCheckpoint', error);
  } finally {
    tf.dispose(tensors);
  }
}

type Writer = (tensors: NamedTensorMap, metadata: Readonly<Record<string, string>>) => Promise<void>;

/** Returns the function that writes to a target. Throws at once for an invalid target. */
function writerFor(target: CheckpointTarget): Writer {
  if (typeof WritableStream === 'function' && target instanceof WritableStream) {
    return async (tensors, metadata) => {
      const writer = target.getWriter();
      await writer.write(await writeSafetensors(tensors, metadata));
      await writer.close();
    };
  }
  const scheme = schemeOf(target);
  if (scheme !== null) {
    const handler = saveHandlerFor(target as string);
    return (tensors, metadata) => saveArtifacts(handler, tensors, metadata);
  }
  const path = typeof target === 'string' || target instanceof URL ? pathOf(target) : null;
  if (path !== null && isNode()) {
    checkFileName('the target', String(path));
    return async (tensors, metadata) => writeNodeFile(path, [await writeSafetensors(tensors, metadata)]);
  }
  if (isIOHandler(target)) return (tensors, metadata) => saveArtifacts(target, tensors, metadata);
  throw new CheckpointError(
    'OPTION',
    'the target is none that can be written',
    'Pass a path (in Node.js), a stream, an IOHandler or a URL of tf.io.',
  );
}
