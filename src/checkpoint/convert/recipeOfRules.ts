import { ParametrizeError } from '../../core/errors.ts';
import { isRecord } from '../../core/guards.ts';
import { definedCatalog } from '../../model/catalog.ts';
import { type Conflict, checkConflicts } from '../../model/rules/checkConflicts.ts';
import { type Plan, type PlannedStep, planRules } from '../../model/rules/plan.ts';
import type { Rule } from '../../model/rules/rule.ts';
import { isSameCall, splitAxes } from '../../model/rules/sameOptions.ts';
import { tensorPath } from '../../model/select/candidate.ts';
import type { RecipeStep, TensorRecipe } from '../../stateDict/recipe.ts';
import { CheckpointError, printable } from '../checkpointError.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { type FileCandidate, fileCandidates } from './fileCandidates.ts';
import { infosOf } from './parametrizedWeights.ts';

/** The parametrizations that rules ask for on the tensors of a file. */
export interface RuledFile {
  /** The steps that are to be registered. */
  readonly recipe: readonly TensorRecipe[];
  /** The tensors that have what a rule asks for already. */
  readonly unchanged: readonly string[];
  /** The tensors that rules matched and leave as they are, with the reasons. */
  readonly skipped: readonly { readonly name: string; readonly kind: string; readonly reason: string }[];
}

/** The largest number of rules. */
const maxRules = 1_000;

/**
 * Matches rules as data against the tensor paths of a file. They mean what they mean to `parametrize`, as far as a file
 * tells: it has no classes, and its parametrized tensors cannot get other steps. Nothing is read.
 *
 * @throws {@link CheckpointError} `UNMATCHED_RULE`, `CONFLICT`, `OPTION`, `PATTERN`, `UNKNOWN_RECIPE`; `UNSUPPORTED`
 * for rules with a type; `LIMIT`
 */
export function recipeOfRules(file: CheckpointFile, rules: readonly unknown[]): RuledFile {
  checkRules(rules);
  try {
    const candidates = fileCandidates(file);
    if (candidates.length === 0)
      throw new CheckpointError('UNMATCHED_RULE', 'the file has no tensors', 'Check its path.');
    const plan = planRules('rules', () => candidates, rules as readonly Rule[], definedCatalog());
    return settled(file, plan, rules as readonly Rule[]);
  } catch (error) {
    if (!(error instanceof ParametrizeError) || error instanceof CheckpointError) throw error;
    const { code, caller = '', fact, remedy = '' } = error;
    const number = /rule \d+/.exec(caller)?.[0];
    const text = printable(number === undefined ? fact! : `${number}: ${fact}`);
    throw new CheckpointError(code, text, remedy, { cause: error });
  }
}

function checkRules(rules: readonly unknown[]): void {
  if (rules.length > maxRules) {
    throw new CheckpointError('LIMIT', `there are more than ${maxRules} rules`, 'Split them.');
  }
  for (const [i, rule] of rules.entries()) {
    if (!isRecord(rule) || rule['type'] === undefined) continue;
    const type = printable(JSON.stringify(rule['type'])).slice(0, 80);
    throw new CheckpointError(
      'UNSUPPORTED',
      `rule ${i + 1} has the type ${type}, and a file does not tell the classes of its modules`,
      'Select by match, exclude and name; or call parametrize on the model, and save that with saveCheckpoint.',
    );
  }
}

/** Compares the steps of a plan with what the file has. */
function settled(file: CheckpointFile, { steps, skipped }: Plan, rules: readonly Rule[]): RuledFile {
  const entries = new Map<number, TensorRecipe & { steps: RecipeStep[] }>();
  const unchanged = new Set<string>();
  const conflicts: Conflict[] = [];
  for (const step of steps) {
    const candidate = step.candidate as FileCandidate;
    const { index, path, tensor, weight } = candidate;
    if (weight === null) {
      const entry = entries.get(index) ?? { path, tensor, steps: [] };
      entries.set(index, entry);
      entry.steps.push({ kind: step.kind, options: step.options });
      continue;
    }
    const conflict = conflictOf(file, step, candidate, rules[step.rule]!);
    if (conflict === null) unchanged.add(tensorPath(candidate));
    else conflicts.push(conflict);
  }
  checkConflicts('rules', conflicts);
  return {
    recipe: [...entries.values()],
    unchanged: [...unchanged],
    skipped: skipped.map(({ candidate, kind, reason }) => ({ name: tensorPath(candidate), kind, reason })),
  };
}

/** Returns the conflict of a step with the parametrization of a tensor of the file; null if it is that step. */
function conflictOf(
  file: CheckpointFile,
  step: PlannedStep,
  candidate: FileCandidate,
  { onConflict = 'error' }: Rule,
): Conflict | null {
  const { rule, kind } = step;
  const name = tensorPath(candidate);
  const there = stepsOn(candidate).filter((one) => one.kind === kind);
  if (there.length === 0 || onConflict === 'append' || onConflict === 'replace') {
    return {
      fact: `rule ${rule + 1}: the tensor '${name}' of the file is parametrized already`,
      remedy: 'Fold the file first, or leave the tensor out by exclude.',
    };
  }
  if (onConflict === 'keep' || there.some((one) => isSame(file, step, candidate, one))) return null;
  return {
    fact: `rule ${rule + 1}: '${name}' has a ${kind} with other options`,
    remedy: "Pass onConflict: 'keep', fold the file first, or leave the tensor out by exclude.",
  };
}

/** Returns the steps of a parametrized tensor; without a recipe, the step that the names of its parts tell. */
const stepsOn = ({ weight }: FileCandidate): readonly RecipeStep[] => {
  const { recipe, hookKeys } = weight!;
  if (recipe !== null) return recipe[0]!.steps;
  return hookKeys === null ? [] : [{ kind: hookKeys.kind, options: {} }];
};

function isSame(
  file: CheckpointFile,
  { apply, options }: PlannedStep,
  { weight, shape }: FileCandidate,
  there: RecipeStep,
): boolean {
  const rank = shape.length;
  const { recipe, hookKeys, parts } = weight!;
  if (recipe !== null || hookKeys === null) return isSameCall(apply, there.options, options, rank);
  // torch's names do not tell the axes, but the shapes do.
  const { axes, others } = splitAxes(apply, options, rank);
  return isSameCall(apply, {}, others, rank) && hookKeys.fits(infosOf(file, hookKeys, parts), axes);
}
