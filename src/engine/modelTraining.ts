import type { Optimizer } from '@tensorflow/tfjs-core';
import { wrapOnce } from '../core/wrapOnce.ts';
import type { Layer } from './layer.ts';
import type { LayerVariable } from './layerVariable.ts';

/** What is used of a model of tfjs-layers. */
export interface Model extends Layer {
  readonly optimizer?: Optimizer | null;
  /** Of a sequential model: the model that it passes everything on to. */
  readonly model?: Model | null;
}

/** What `fit`, `fitDataset` and `trainOnBatch` run for each batch. */
type TrainFunction = (data: unknown[]) => unknown;

interface ModelInternals {
  collectedTrainableWeights?: LayerVariable[] | null;
  makeTrainFunction(): TrainFunction;
}

/** What `fit` trains: the trainable weights at the moment of `compile`; null for a model that is not compiled. */
export const collectedWeights = (model: Model): readonly LayerVariable[] | null =>
  (model as unknown as ModelInternals).collectedTrainableWeights ?? null;

/** Lets `fit` train other weights. */
export function collectWeights(model: Model, weights: readonly LayerVariable[]): void {
  (model as unknown as ModelInternals).collectedTrainableWeights = [...weights];
}

const CHECKED: unique symbol = Symbol.for('tfjs-parametrize.checked') as never;

/**
 * Runs something before a model begins to train, and around each of its batches. If tfjs-layers trains in another way
 * than today, nothing is run.
 *
 * @param prototype - that of the class of models
 * @param begin - is called when training begins; returns what is called for each batch
 */
export function aroundTraining(
  prototype: object,
  begin: (model: Model) => (train: () => unknown) => unknown,
): void {
  wrapOnce(prototype as ModelInternals, 'makeTrainFunction', CHECKED, (makeTrainFunction) => {
    return function (this: ModelInternals): TrainFunction {
      const around = begin(this as unknown as Model);
      const train = makeTrainFunction.call(this);
      return (data) => around(() => train(data));
    };
  });
}
