import { LayersModel } from '@tensorflow/tfjs-layers';
import { ParametrizeError } from '../core/errors.ts';
import { isParametrized } from '../parametrize/verbs/isParametrized.ts';
import { isSynced, keepStateSinceCompile, type Model } from './collectedWeights.ts';
import { everyLayer, type Layer } from './layer.ts';

/** The function that `fit`, `fitDataset` and `trainOnBatch` run for each batch. */
type TrainFunction = (data: unknown[]) => unknown;

interface Trainable extends Model {
  makeTrainFunction(): TrainFunction;
}

// A layer does not know its models. So this check runs when a model begins to train: the collected weights must be
// those that the layers hold. Models without parametrized weights run unchanged.
const CHECKED: unique symbol = Symbol.for('tfjs-parametrize.checked') as never;

/** Lets every model look at its layers before it trains. */
export function checkBeforeTraining(): void {
  const prototype = LayersModel.prototype as unknown as Trainable & { [CHECKED]?: true };
  if (prototype[CHECKED] !== undefined) return;
  const { makeTrainFunction } = prototype;
  prototype.makeTrainFunction = function (this: Trainable): TrainFunction {
    checkSynced(this);
    checkDilated(this);
    keepStateSinceCompile(`training '${this.name}'`, this);
    const train = makeTrainFunction.call(this);
    return (data) => {
      // Again for every batch: a callback may have registered something.
      checkSynced(this);
      return namingDilated(this, () => train(data));
    };
  };
  Object.defineProperty(prototype, CHECKED, { value: true });
}

function checkSynced(model: Trainable): void {
  if (isSynced(model.collectedTrainableWeights ?? [])) return;
  throw new ParametrizeError(
    'NOT_SYNCED',
    `training '${model.name}': since compile, parametrizations of its layers were registered or removed, so that it would train other variables than its layers hold. Call syncModel(model).`,
  );
}

/** A dilated convolution that is to be trained would be refused after tfjs has recorded a whole forward pass. */
function checkDilated(model: Trainable): void {
  const collected = new Set(model.collectedTrainableWeights);
  const isTrained = (layer: Layer): boolean =>
    layer._trainableWeights.some((weight) => collected.has(weight));
  if (dilatedLayers(model).some(([, layer]) => isTrained(layer)) && computes(model)) throw noGradient(model);
}

/** Says which layer it is that the gradient does not get through, where tfjs names an operation. */
function namingDilated<T>(model: Trainable, train: () => T): T {
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

function noGradient(model: Trainable, options?: ErrorOptions): ParametrizeError {
  const paths = dilatedLayers(model).map(([path]) => `'${path}'`);
  return new ParametrizeError(
    'NO_GRADIENTS',
    `training '${model.name}': tfjs has no gradient of dilated convolutions, on any backend, and ${paths.join(', ')} has a dilationRate above 1. Such layers predict, save and load; to train one, use Conv1d, Conv2d or Conv3d of 'tfjs-parametrize/nn'.`,
    options,
  );
}
