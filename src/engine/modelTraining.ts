import type { io, Optimizer } from '@tensorflow/tfjs-core';
import { wrapOnce } from '../core/wrapOnce.ts';
import type { Layer } from './layer.ts';
import type { LayerVariable } from './layerVariable.ts';

/** The part of a model of tfjs-layers that this package uses. */
export interface Model extends Layer {
  readonly optimizer?: Optimizer | null;
  /** The inner model of a sequential model, which does its work. */
  readonly model?: Model | null;
}

/** The function that `fit`, `fitDataset` and `trainOnBatch` run for each batch. */
type TrainFunction = (data: unknown[]) => unknown;

interface ModelInternals {
  collectedTrainableWeights?: LayerVariable[] | null | undefined;
  makeTrainFunction(): TrainFunction;
}

/** Returns the weights that `fit` trains, which `compile` collects; null for a model that is not compiled. */
export const collectedWeights = (model: Model): readonly LayerVariable[] | null =>
  (model as unknown as ModelInternals).collectedTrainableWeights ?? null;

/** Sets the weights that `fit` trains. Returns a function that restores the old ones. */
export function collectWeights(model: Model, weights: readonly LayerVariable[]): () => void {
  const internals = model as unknown as ModelInternals;
  const before = internals.collectedTrainableWeights;
  internals.collectedTrainableWeights = [...weights];
  return () => {
    internals.collectedTrainableWeights = before;
  };
}

const CHECKED: unique symbol = Symbol.for('tfjs-parametrize.checked') as never;

/**
 * Runs functions before a model begins to train and around each of its batches. If a later tfjs-layers trains in
 * another way, nothing is run.
 *
 * @param prototype - the prototype of the class of models
 * @param begin - called when training begins; returns the function that is called for each batch
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

/** The part of a model that tfjs-layers saves with its optimizer, as data: loss, metrics, options of the optimizer. */
export type TrainingConfig = NonNullable<io.ModelArtifacts['trainingConfig']>;

/**
 * Returns the training configuration of a compiled model as data.
 *
 * @throws the errors of tfjs for a loss that has no name
 */
export const trainingConfigOf = (model: Model): TrainingConfig =>
  (model as unknown as { getTrainingConfig(): TrainingConfig }).getTrainingConfig();

/**
 * Compiles a model as a training configuration says.
 *
 * @throws the errors of tfjs for unknown optimizers, losses and metrics
 */
export const loadTrainingConfig = (model: Model, config: TrainingConfig): void =>
  (model as unknown as { loadTrainingConfig(config: TrainingConfig): void }).loadTrainingConfig(config);

/** Returns the metadata that the program has set on a model. */
export const userMetadataOf = (model: Model): object =>
  (model as unknown as { getUserDefinedMetadata(): object | undefined }).getUserDefinedMetadata() ?? {};

/** Returns the names under which tfjs-layers saves the weights of a model, in the order of `getWeights`. */
export const savedNames = (model: Model): string[] =>
  (model as unknown as { weights: readonly LayerVariable[] }).weights.map(({ originalName }) => originalName);
