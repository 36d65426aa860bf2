import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { isRecord } from '../../core/guards.ts';
import { typeName } from '../../core/text.ts';
import { transaction } from '../../parametrize/transaction.ts';
import { checkedRecipe } from '../../stateDict/checkedRecipe.ts';
import { freezeOriginals } from '../../stateDict/frozenOriginals.ts';
import type { Catalog, Recipe } from '../../stateDict/recipe.ts';
import { checkModel } from '../checkModel.ts';
import { type AppliedStep, applyPlan } from '../rules/applyPlan.ts';
import { undoSteps } from '../rules/carryOut.ts';
import { type ParametrizeReport, reportOf } from '../rules/report.ts';
import { type NumberedEntry, RecipePlanner } from './recipePlanner.ts';
import { applyTies, checkTies, undoTies } from './recipeTies.ts';

/** Options of {@link applyRecipe}. */
export interface ApplyRecipeOptions {
  /** The functions that the recipe may name. It can call nothing else. */
  readonly catalog: Catalog;
  /** True if nothing is to be changed: the report says what would be. Nothing is evaluated. Default false. */
  readonly dryRun?: boolean;
  /** False if tensors that the model lacks are left out, with a note in the report. Default true: an error. */
  readonly strict?: boolean;
}

/**
 * Registers the parametrizations that a recipe lists: from {@link recipeOf}, from the report of {@link parametrize}, or
 * from JSON. All registrations happen, or none.
 *
 * A tensor that has the parametrizations of its entry already stays as it is, so that a second call does nothing. The
 * recipe of a plan of this program, made with `dryRun`, does what the plan says if the tensors are as they were then.
 *
 * Ties come last. A tensor that reads the source of its entry already stays as it is; a tensor that is parametrized or
 * tied to another source is a conflict.
 *
 * @remarks
 * **Shape**: kept.
 * **State**: that of each registration. The value of a tensor is kept where its map has a right inverse. Load the state
 * dict afterwards for the saved values. The optimizer of a compiled model of tf.layers is synced.
 * **Ownership**: removal disposes what the functions of the catalog made.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds variables
 * @param recipe - the recipe, or its text in JSON. It is data that somebody else may have written: it is checked, and
 * has at most 100,000 tensors, 64 steps each and paths of 1,000 characters
 * @param options - the catalog; see {@link ApplyRecipeOptions}
 * @returns the report. `rule` is the number of the entry
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a kind that the catalog lacks, for functions that no recipe can
 * name, and for a later version; `UNKNOWN_TENSOR` for tensors that the model lacks; `CONFLICT` for a tensor with other
 * parametrizations; `STALE_PLAN` for a recipe of a plan whose tensors have other shapes or parametrizations now;
 * `CYCLE` for ties that go round in a circle; `CORRUPT`, `LIMIT`, `OPTION`, `UNSUPPORTED_HOST`; and the code of the
 * first tensor that a registration is refused for. Nothing has changed then.
 * @example
 * ```ts
 * const plan = parametrize(model, rules, { dryRun: true });
 * applyRecipe(model, plan.recipe, { catalog });
 * ```
 */
export function applyRecipe(
  model: object,
  recipe: Recipe | string,
  options: ApplyRecipeOptions,
): ParametrizeReport {
  const caller = 'applyRecipe';
  checkModel(caller, model);
  checkOptions(caller, options, ['catalog', 'dryRun', 'strict']);
  const { catalog, dryRun = false, strict = true } = options;
  checkBoolean(caller, 'dryRun', dryRun);
  checkBoolean(caller, 'strict', strict);
  if (!isRecord(catalog)) {
    const remedy = 'Pass the functions that the recipe may call: { catalog: { weightNorm } }.';
    throw refusal('OPTION', caller, `catalog is ${typeName(catalog)}, it must be an object`, remedy);
  }
  const remedy = 'Pass what recipeOf returns, or its JSON.';
  const { parametrizations } = checkedRecipe(recipe, remedy, caller);
  const entries = parametrizations.map((entry, number): NumberedEntry => ({ entry, number }));
  const planner = new RecipePlanner(caller, model, catalog);
  const missing = planner.plan(entries);
  const isLost = (one: NumberedEntry): boolean => !planner.mayAppear(one);
  planner.leaveOut(missing.filter(isLost), strict);
  const inner = missing.filter((one) => !isLost(one));
  if (dryRun) {
    for (const one of inner) planner.expect(one);
    checkTies(caller, planner.ties);
    return reportOf(model, planner, null, () => {});
  }
  const { applied, ties, unfreeze } = transaction(() => ({
    applied: applyAll(caller, model, { planner, inner, strict }),
    ties: applyTies(caller, model, planner.ties),
    unfreeze: planner.freezing.map(({ candidate: { host, tensor }, entry }) =>
      freezeOriginals(host, tensor, entry, caller),
    ),
  }));
  return reportOf(model, planner, applied, () => {
    transaction(() => {
      undoTies('undo', ties);
      undoSteps(model, applied);
    });
    for (const one of unfreeze) one();
  });
}

/** Registers what is planned, then plans and registers the entries of tensors that exist now, until none is left. */
function applyAll(
  caller: string,
  model: object,
  {
    planner,
    inner,
    strict,
  }: { readonly planner: RecipePlanner; readonly inner: NumberedEntry[]; readonly strict: boolean },
): AppliedStep[] {
  const applied: AppliedStep[] = [];
  for (let left = inner; ; ) {
    const steps = planner.steps.slice(applied.length);
    applied.push(...applyPlan(caller, model, { unit: planner.unit, steps }));
    const missing = left.length === 0 ? [] : planner.plan(left);
    if (missing.length === left.length) {
      planner.leaveOut(missing, strict);
      return applied;
    }
    left = missing;
  }
}
