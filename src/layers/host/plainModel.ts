import type { LayersModel } from '@tensorflow/tfjs-layers';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { isLayer, type Layer } from '../../engine/layer.ts';
import type { LayerVariable } from '../../engine/layerVariable.ts';
import { type Model, savedNames, userMetadataOf } from '../../engine/modelTraining.ts';
import type { PlainModel } from '../../stateDict/stateView.ts';
import { attachmentOf } from './layerAttachment.ts';
import { showingPlainWeights } from './showingPlainWeights.ts';

/**
 * Refuses everything but a model of tf.layers.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`
 */
export function checkLayersModel(caller: string, model: object): asserts model is LayersModel {
  if (isLayer(model) && 'layers' in model) return;
  throw refusal('UNSUPPORTED_HOST', caller, `expected a model of tf.layers, got ${typeName(model)}`);
}

/** Returns the topology of a model, and its weights with the names and values of a plain model. */
export function plainModel(caller: string, model: Layer): PlainModel {
  checkLayersModel(caller, model);
  return showingPlainWeights(model as never, () => {
    const { weights } = model as unknown as { readonly weights: readonly LayerVariable[] };
    const names = savedNames(model as unknown as Model);
    return {
      topology: (model as unknown as LayersModel).toJSON(null, false) as object,
      metadata: userMetadataOf(model as unknown as Model),
      weights: weights.map((weight, i) => {
        const list = attachmentOf(weight)?.list ?? null;
        return { name: names[i]!, value: list?.inspect() ?? weight.read(), list };
      }),
    };
  });
}
