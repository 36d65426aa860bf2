import type { LayersModel } from '@tensorflow/tfjs-layers';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isLayer } from '../engine/layer.ts';
import type { Model } from '../engine/modelTraining.ts';
import { teachLayers } from './teachLayers.ts';
import { collectCurrentWeights } from './training/collectedWeights.ts';

// Importing the entry of this folder teaches the package its layers: `sideEffects` in package.json names the entry and
// this file, so that bundlers keep the call.
teachLayers();

/**
 * Lets a compiled model train the weights that its layers hold now. Call it after registering, removing or folding:
 * `compile` noted the weights of that moment, and the optimizer keeps its state by their position.
 *
 * Weights that stay keep the state of the optimizer, new weights begin without state, and the state of removed weights
 * is freed. The state of other variables stays. It does nothing on a model that is not compiled.
 *
 * @remarks A model whose `fit` is called without it throws `NOT_SYNCED`. Compiling the model again does the same: the
 * new optimizer of a name begins without state, an optimizer object keeps the state of the weights that stay.
 *
 * @param model - every model that was compiled with the changed layers; of those inside of others, those that are
 * trained themselves
 * @returns the model
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` for anything but a model, `OPTION` for an optimizer that tfjs did
 * not make
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
