import { definitionOf } from '../../parametrize/definition.ts';
import { callOf, isSameData } from '../../stateDict/appliedSteps.ts';
import type { Catalog, RecipeStep } from '../../stateDict/recipe.ts';
import type { FoundStep } from '../../stateDict/tensorRecipes.ts';
import { hasOptions } from '../rules/sameOptions.ts';
import type { FoundCandidate } from '../select/candidate.ts';

/** A step that a chain should have, with the function that registers it. */
export interface WantedStep extends RecipeStep {
  /** Null for a step that was there before a plan. */
  readonly apply: Catalog[string] | null;
}

/** True if a tensor has these steps, in this order, and no others. */
export const isChain = (
  candidate: FoundCandidate,
  found: readonly FoundStep[],
  wanted: readonly WantedStep[],
): boolean => found.length === wanted.length && found.every((one, i) => isStep(candidate, one, wanted[i]!));

function isStep(
  { list, shape }: FoundCandidate,
  { step, registered }: FoundStep,
  { kind, options, apply }: WantedStep,
): boolean {
  const [first] = registered;
  const call = callOf(list, first!);
  const isCalled = call !== undefined && (call.apply === apply || call.kind === kind);
  if (isCalled && call.count === registered.length && isSameData(call.options, options)) return true;
  const definition = registered.length === 1 ? definitionOf(first) : undefined;
  if (definition === undefined) return step.kind === kind && isSameData(step.options, options);
  const isOfKind = definition.name === kind || definition === definitionOf(apply);
  return isOfKind && hasOptions(first!, options, shape.length);
}
