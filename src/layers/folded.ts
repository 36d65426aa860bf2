import type { LayersModel } from '@tensorflow/tfjs-layers';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isLayer } from '../engine/layer.ts';
import { cached } from '../parametrize/verbs/cached.ts';
import { showingPlainWeights } from './host/showingPlainWeights.ts';
import { teachLayers } from './teachLayers.ts';

/**
 * Runs a function while a model shows plain weights: computed values under plain names, as if nothing were
 * parametrized. If the function saves the model, the file loads without this package. If it loads weights, they go
 * through the right inverses.
 *
 * @remarks
 * **Ownership**: the result of the function has the same owner as with {@link cached}.
 *
 * @param fn - the function; if it returns a promise, the model shows plain weights until the promise settles
 * @returns what `fn` returns
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the argument is not a model or layer of tf.layers; and the
 * errors of `fn`
 * @example
 * ```ts
 * await folded(model, () => model.save('indexeddb://plain'));
 * folded(model, () => model.loadWeights(plainWeights));
 * ```
 */
export function folded<T>(model: LayersModel, fn: () => T): T {
  teachLayers();
  if (!isLayer(model)) {
    throw refusal(
      'UNSUPPORTED_HOST',
      'folded',
      `expected a model of tf.layers, got ${typeName(model)}`,
      'The state dict of a module takes and gives every key format.',
    );
  }
  return showingPlainWeights(model, () => cached(fn));
}
