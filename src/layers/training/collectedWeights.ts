import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '../../engine/layerVariable.ts';
import { collectedWeights, collectWeights, type Model } from '../../engine/modelTraining.ts';
import { concernsUs, ownersOf, ownersOfRestored } from '../../engine/optimizerOwners.ts';
import { leavesOf } from '../../engine/optimizerParts.ts';
import { checkOptimizer, noteOwners, planMissingState, planState } from '../../model/optimizerState.ts';
import { transaction, undoable } from '../../parametrize/transaction.ts';
import { attachmentOf, weightBehind } from '../host/layerAttachment.ts';
import { onceTied } from '../host/onceTied.ts';

/** Returns a model, and its inner model if that does the training. */
const trainedModels = (model: Model): Model[] =>
  [model, model.model].filter((part): part is Model => part != null && collectedWeights(part) !== null);

/**
 * Returns the weights that a model has to collect after registrations and removals: originals in place of parametrized
 * weights, and weights in place of removed originals. Weights that were not trained stay out, as do originals that
 * were frozen when the model was compiled, or that a definition freezes. Weights that were tied are trained again.
 */
function currentWeights(model: Model, collected: readonly LayerVariable[]): LayerVariable[] {
  const known = new Set(collected);
  const weights = new Set(collected.map(weightBehind));
  for (const weight of onceTied(() => model.trainableWeights.map(weightBehind))) weights.add(weight);
  return [...weights].flatMap((weight) => {
    const attachment = attachmentOf(weight);
    if (attachment === undefined) return [weight];
    const { parameters } = attachment;
    const isCompiled = parameters.some((parameter) => known.has(parameter));
    const isOut = (parameter: LayerVariable): boolean =>
      !parameter.trainable && (attachment.isFrozen(parameter) || (!known.has(parameter) && isCompiled));
    return parameters.filter((parameter) => !isOut(parameter));
  });
}

/** True if the collected weights are the current weights of the layers. */
export function isSynced(model: Model): boolean {
  const collected = collectedWeights(model) ?? [];
  const current = new Set(currentWeights(model, collected));
  return current.size === collected.length && collected.every((weight) => current.has(weight));
}

/**
 * Makes a compiled model train its current weights. Its optimizer keeps the state of the weights that stay and of the
 * variables of other models.
 *
 * State that was restored after `compile` belongs to the weights that the model was compiled with. If it does not fit
 * them, it stays, and the next step refuses it.
 */
export function collectCurrentWeights(caller: string, model: Model): void {
  const parts = trainedModels(model);
  for (const { optimizer } of parts) if (optimizer != null) checkOptimizer(caller, optimizer);
  transaction(() => {
    for (const part of parts) {
      const collected = collectedWeights(part)!;
      const weights = currentWeights(part, collected);
      if (part.optimizer != null) moveState(caller, part.optimizer, collected, weights);
      undoable(collectWeights(part, weights));
    }
  });
}

function moveState(
  caller: string,
  optimizer: Optimizer,
  collected: readonly LayerVariable[],
  weights: readonly LayerVariable[],
): void {
  const before = collected.map(variableBehind);
  const isKnown = leavesOf(optimizer, before as Variable[]).every(([leaf, own]) => {
    if (ownersOf(leaf) !== 'restored') return true;
    const owners = ownersOfRestored(leaf, own!);
    if (owners !== undefined) noteOwners(leaf, owners);
    return owners !== undefined;
  });
  if (!isKnown) return;
  const left = new Set(before);
  planState(caller, optimizer, variablesOf(weights), (variable) => !left.has(variable))();
}

/**
 * Gives the optimizer of a recompiled model initial state for variables without state, if parametrized weights are
 * involved.
 */
export function keepStateSinceCompile(caller: string, model: Model): void {
  const { optimizer } = model;
  const collected = collectedWeights(model);
  if (optimizer == null || collected === null) return;
  const variables = variablesOf(collected);
  const concerned = leavesOf(optimizer, variables).some(([leaf, own]) => {
    const owners = ownersOf(leaf);
    return owners !== undefined && concernsUs(own!, owners === 'restored' ? [] : owners);
  });
  if (concerned) transaction(planMissingState(caller, optimizer, variables));
}

/** Returns the variable of a weight. For a parametrized weight, returns its old variable if that is an original now. */
function variableBehind(weight: LayerVariable): Variable | undefined {
  const parameters = attachmentOf(weight)?.parameters;
  if (parameters === undefined) return weight.val;
  return parameters.find(({ val }) => val.name === weight.name)?.val;
}

/** Returns the variables of weights. */
const variablesOf = (weights: readonly LayerVariable[]): Variable[] => weights.map(({ val }) => val);
