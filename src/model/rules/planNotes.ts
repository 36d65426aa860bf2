import { rawOf } from '../../nn/module/rawOf.ts';
import type { RecipeStep, TensorRecipe } from '../../stateDict/recipe.ts';
import { stepsOn } from '../../stateDict/tensorRecipes.ts';
import type { PlannedStep } from './plan.ts';

/** The state of a tensor for which a report planned steps. */
export interface PlanNote {
  readonly shape: readonly number[];
  /** The chain of the tensor before the planned steps, as data. */
  readonly before: readonly RecipeStep[];
  /** For each planned step, the number of the step of `before` whose place it takes, or null. */
  readonly replaced: readonly (number | null)[];
}

/** The notes of entries of recipes. They are not part of the data: a recipe that was text has none. */
const notes = new WeakMap<TensorRecipe, PlanNote & { readonly model: WeakRef<object> }>();

/** Notes the tensor that the entry of a report's recipe is about, as it is before the steps. */
export function notePlan(model: object, entry: TensorRecipe, steps: readonly PlannedStep[]): void {
  const { list, variable, registered, shape } = steps[0]!.candidate;
  // A tensor that an outer step will make is not known yet.
  if (list === null && variable === null) return;
  const found = list === null ? [] : stepsOn(list, registered);
  const replaced = steps.map(({ replaces }) => {
    const at = replaces === null ? -1 : found.findIndex((one) => one.registered.includes(replaces));
    return at < 0 ? null : at;
  });
  const before = found.map(({ step }) => step);
  notes.set(entry, { model: new WeakRef(rawOf(model)), shape, before, replaced });
}

/** Returns the note of an entry that was planned for a model; undefined for other entries and other models. */
export function planNoteOf(model: object, entry: TensorRecipe): PlanNote | undefined {
  const note = notes.get(entry);
  return note?.model.deref() === rawOf(model) ? note : undefined;
}
