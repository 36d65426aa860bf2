import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ParametrizeError } from '../core/errors.ts';
import { settle } from '../core/settle.ts';
import { typeName } from '../core/text.ts';
import { cached } from '../parametrize/verbs/cached.ts';
import { everyLayer, isLayer, ownWeights } from './layer.ts';
import { attachmentOf } from './layerAttachment.ts';
import { teachLayers } from './teachLayers.ts';

/**
 * Runs a function while a model shows plain weights: their computed values under their plain names, as if nothing were
 * parametrized. What is saved then, any tfjs can load; what is loaded then goes through the right inverses.
 *
 * @remarks
 * **Ownership**: of what the function returns, as by {@link cached}.
 *
 * @param fn - the function; if it returns a promise, the model shows plain weights until that settles
 * @returns what `fn` returns
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if it is no model or layer of tf.layers; and what `fn` throws
 * @example
 * ```ts
 * await folded(model, () => model.save('indexeddb://plain'));
 * folded(model, () => model.loadWeights(plainWeights));
 * ```
 */
export function folded<T>(model: LayersModel, fn: () => T): T {
  teachLayers();
  if (!isLayer(model)) {
    throw new ParametrizeError(
      'UNSUPPORTED_HOST',
      `folded: expected a model of tf.layers, got ${typeName(model)}. The state dict of a module takes and gives every key format.`,
    );
  }
  const weights = everyLayer(model).flatMap(([, layer]) => [...ownWeights(layer).values()]);
  const unfolds = [...new Set(weights)].map((weight) => attachmentOf(weight)?.fold());
  return settle(
    () => cached(fn),
    () => {
      for (const unfold of unfolds) unfold?.();
    },
  );
}
