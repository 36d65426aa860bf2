import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '../engine/layerVariable.ts';
import { syncOptimizer } from '../model/syncOptimizer.ts';
import type { Layer } from './layer.ts';
import { attachmentOf, weightBehind } from './layerAttachment.ts';

/** What this adapter uses of a model of tfjs-layers. */
export interface Model extends Layer {
  /** What `fit` trains: the trainable weights at the moment of `compile`. */
  collectedTrainableWeights?: LayerVariable[] | null;
  readonly optimizer?: Optimizer | null;
  /** Of a sequential model: the model that it passes everything on to. */
  readonly model?: Model | null;
}

/** A model, and the one that it passes its training on to. */
const trainedModels = (model: Model): Model[] =>
  [model, model.model].filter((part): part is Model => part?.collectedTrainableWeights != null);

/**
 * What a model has to collect instead, after registrations and removals: the originals of weights that are computed now,
 * and the weights that are no longer. What was not to be trained still is not.
 */
function currentWeights(collected: readonly LayerVariable[]): LayerVariable[] {
  const weights = new Set(collected.map(weightBehind));
  return [...weights].flatMap((weight) => attachmentOf(weight)?.parameters ?? [weight]);
}

/** Whether a model trains what it has to. */
export function isSynced(collected: readonly LayerVariable[]): boolean {
  const current = new Set(currentWeights(collected));
  return current.size === collected.length && collected.every((weight) => current.has(weight));
}

/** Lets a compiled model train its current weights, and its optimizer keep the state of those that stay. */
export function collectCurrentWeights(model: Model): void {
  for (const part of trainedModels(model)) {
    const weights = currentWeights(part.collectedTrainableWeights!);
    if (part.optimizer != null) syncOptimizer(part.optimizer, variablesOf(weights));
    part.collectedTrainableWeights = weights;
  }
}

/** The variables of weights. */
const variablesOf = (weights: readonly LayerVariable[]): Variable[] => weights.map(({ val }) => val);
