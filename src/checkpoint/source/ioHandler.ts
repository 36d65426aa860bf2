import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError, quoted } from '../checkpointError.ts';

const unknownScheme = (url: string, verb: string): CheckpointError =>
  new CheckpointError(
    'OPTION',
    `nothing here can ${verb} ${quoted(url)}`,
    'Some schemes are known in browsers only (indexeddb, localstorage, downloads); pass a path, a URL, bytes or an IOHandler.',
  );

/** Returns the handler that saves to a URL with a scheme of `tf.io`. */
export function saveHandlerFor(url: string): tf.io.IOHandler {
  const [handler] = tf.io.getSaveHandlers(url);
  if (handler?.save === undefined) throw unknownScheme(url, 'save to');
  return handler;
}

/** Returns the handler that loads from a URL with a scheme of `tf.io`. */
export function loadHandlerFor(url: string): tf.io.IOHandler {
  const [handler] = tf.io.getLoadHandlers(url);
  if (handler?.load === undefined) throw unknownScheme(url, 'load from');
  return handler;
}

/** The artifacts that a handler loads. */
export interface LoadedArtifacts {
  readonly tensors: NamedTensorMap;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Loads the weights of an `IOHandler`.
 *
 * @remarks
 * **Ownership**: the tensors belong to the caller.
 *
 * @throws {@link CheckpointError} `OPTION` if the handler cannot load, `CORRUPT` if it loads no weights
 */
export async function loadArtifacts(handler: tf.io.IOHandler): Promise<LoadedArtifacts> {
  if (handler.load === undefined) {
    throw new CheckpointError('OPTION', 'this IOHandler cannot load', 'Pass one with a load method.');
  }
  const { weightSpecs, weightData, userDefinedMetadata } = await handler.load();
  if (weightSpecs === undefined || weightData === undefined) {
    throw new CheckpointError('CORRUPT', 'the IOHandler loads no weights', 'Save them first.');
  }
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(userDefinedMetadata ?? {})) {
    if (typeof text === 'string') metadata[key] = text;
  }
  return { tensors: tf.io.decodeWeights(weightData, weightSpecs), metadata };
}

/** Saves tensors to an `IOHandler`. */
export async function saveArtifacts(
  handler: tf.io.IOHandler,
  tensors: NamedTensorMap,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  if (handler.save === undefined) {
    throw new CheckpointError('OPTION', 'this IOHandler cannot save', 'Pass one with a save method.');
  }
  const { data, specs } = await tf.io.encodeWeights(tensors);
  await handler.save({
    // Some handlers refuse to load artifacts without a topology.
    modelTopology: { class_name: 'StateDict', config: {} },
    format: 'tfjs-parametrize',
    generatedBy: 'tfjs-parametrize',
    weightSpecs: specs,
    weightData: data,
    userDefinedMetadata: { ...metadata },
  });
}
