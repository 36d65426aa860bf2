import { LayersModel } from '@tensorflow/tfjs-layers';
import { ParametrizeError, refusal } from '../../core/errors.ts';
import { type Layer, weightListsOf } from '../../engine/layer.ts';
import { aroundTraining, collectedWeights, type Model } from '../../engine/modelTraining.ts';
import { isParametrized } from '../../parametrize/verbs/isParametrized.ts';
import { everyLayer } from '../host/layer.ts';
import { isSynced, keepStateSinceCompile } from './collectedWeights.ts';

/**
 * Makes every model check its layers before it trains.
 *
 * A layer does not know its models. So the check runs when a model begins to train: the collected weights must be the
 * current weights of the layers. Models without parametrized weights run unchanged.
 */
export function checkBeforeTraining(): void {
  aroundTraining(LayersModel.prototype, (model) => {
    checkSynced(model);
    checkDilated(model);
    keepStateSinceCompile(`training '${model.name}'`, model);
    return (train) => {
      // The check runs for every batch, because a callback may register parametrizations.
      checkSynced(model);
      return namingDilated(model, train);
    };
  });
}

function checkSynced(model: Model): void {
  if (isSynced(model)) return;
  throw refusal(
    'NOT_SYNCED',
    `training '${model.name}'`,
    'parametrizations of its layers were registered or removed after compile. It would train variables that its layers do not hold',
    'Call syncModel(model).',
  );
}

/** Refuses a trainable dilated convolution. tfjs would refuse it only after it has recorded a whole forward pass. */
function checkDilated(model: Model): void {
  const collected = new Set(collectedWeights(model));
  const isTrained = (layer: Layer): boolean =>
    weightListsOf(layer)[0].some((weight) => collected.has(weight));
  if (dilatedLayers(model).some(([, layer]) => isTrained(layer)) && computes(model)) throw noGradient(model);
}

/** Adds the name of the layer to the error of tfjs about a missing gradient, which names only an operation. */
function namingDilated<T>(model: Model, train: () => T): T {
  try {
    return train();
  } catch (error) {
    const refused = error instanceof Error && /dilation rates greater than 1/.test(error.message);
    if (!refused || dilatedLayers(model).length === 0 || !computes(model)) throw error;
    throw noGradient(model, { cause: error });
  }
}

const computes = (model: Model): boolean => everyLayer(model).some(([, layer]) => isParametrized(layer));

const dilatedLayers = (model: Model): [path: string, layer: Layer][] =>
  everyLayer(model).filter(([, layer]) => {
    const { dilationRate } = layer as { dilationRate?: unknown };
    return [dilationRate].flat().some((rate) => typeof rate === 'number' && rate > 1);
  });

function noGradient(model: Model, options?: ErrorOptions): ParametrizeError {
  const paths = dilatedLayers(model).map(([path]) => `'${path}'`);
  return new ParametrizeError(
    'NO_GRADIENTS',
    {
      caller: `training '${model.name}'`,
      fact: `tfjs has no gradient of dilated convolutions, on any backend, and ${paths.join(', ')} has a dilationRate above 1`,
      remedy:
        "Such layers predict, save and load; to train one, use Conv1d, Conv2d or Conv3d of 'tfjs-parametrize/nn'.",
    },
    options,
  );
}
