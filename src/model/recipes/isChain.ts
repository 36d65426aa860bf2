import { definitionOf } from '../../parametrize/definition.ts';
import type { Parametrization } from '../../parametrize/parametrization.ts';
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

/** True if a tensor has these steps, in this order, and no others. Second calls belong to the step that they change. */
export function isChain(
  candidate: FoundCandidate,
  found: readonly FoundStep[],
  wanted: readonly WantedStep[],
): boolean {
  const calls = callsOfSteps(wanted);
  return (
    found.length === calls.length &&
    found.every((one, i) => {
      const [first, ...others] = calls[i]!;
      return others.length === 0 ? isStep(candidate, one, first!) : hasCalls(one, calls[i]!);
    })
  );
}

/** Returns the calls that each step of a chain stands for. */
function callsOfSteps(wanted: readonly WantedStep[]): WantedStep[][] {
  const steps: WantedStep[][] = [];
  for (const call of wanted) {
    const definition = definitionOf(call.apply);
    const changed = steps.filter(([first]) => first!.kind === call.kind || first!.kind === definition?.name);
    if (definition?.secondCall === undefined || changed.length === 0) steps.push([call]);
    else changed.at(-1)!.push(call);
  }
  return steps;
}

/** True if the calls of a step would not change it. */
function hasCalls({ registered: [present] }: FoundStep, calls: readonly WantedStep[]): boolean {
  const definition = definitionOf(present);
  return calls.every(
    ({ kind, apply, options }) =>
      (definition?.name === kind || definition === definitionOf(apply)) &&
      definition?.secondCall?.plan(present as Parametrization, options) === 'unchanged',
  );
}

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
