import type { LayersModel } from '@tensorflow/tfjs-layers';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isLayer } from '../engine/layer.ts';
import type { Model } from '../engine/modelTraining.ts';
import { teachLayers } from './teachLayers.ts';
import { collectCurrentWeights } from './training/collectedWeights.ts';

// Importing the entry of this folder registers the layers. `sideEffects` in package.json names the entry and this file,
// so bundlers keep this call.
teachLayers();

/**
 * Makes a compiled model train the current weights of its layers. Call it after registering, removing or folding.
 * `compile` has collected the weights of its time, and the optimizer keeps its state by their position.
 *
 * Weights that stay keep their state of the optimizer, new weights begin without state, and the state of removed
 * weights is freed. The state of other variables stays. The function does nothing on a model that is not compiled.
 *
 * @remarks Without this call, `fit` throws `NOT_SYNCED`. Compiling the model again has the same effect: an optimizer
 * that is made by name begins without state, and an optimizer object keeps the state of the weights that stay.
 *
 * @param model - each model that was compiled with the changed layers; a model inside of another one only if it is
 * trained by itself
 * @returns the model
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the argument is not a model, `OPTION` for an optimizer that is
 * not part of tfjs
 * @example
 * ```ts
 * weightNorm(model.layers[0]);
 * syncModel(model);
 * await model.fit(x, y);
 * ```
 */
export function syncModel<M extends LayersModel>(model: M): M {
  if (!isLayer(model) || !('layers' in model)) {
    throw refusal(
      'UNSUPPORTED_HOST',
      'syncModel',
      `expected a model of tf.layers, got ${typeName(model)}`,
      'After changes of other hosts, call syncOptimizer.',
    );
  }
  collectCurrentWeights('syncModel', model as unknown as Model);
  return model;
}
