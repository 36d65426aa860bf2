import { refusal } from '../../core/errors.ts';
import { checkModel } from '../../model/checkModel.ts';
import type { Plan, PlannedStep, Skipped } from '../../model/rules/plan.ts';
import { candidatesOf, type FoundCandidate, tensorPath } from '../../model/select/candidate.ts';
import { unmatchedSelector } from '../../model/select/parameterSelector.ts';
import { select } from '../../model/select/select.ts';
import { type Selector, selectorKeys } from '../../model/select/selector.ts';
import { whyClosed } from '../../model/select/whyClosed.ts';
import { Prune, prune } from '../../parametrizations/prune.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';

/** The tensors of a model that a selector takes for pruning. */
export interface PruningTargets {
  /** Every tensor of the model. */
  readonly candidates: readonly FoundCandidate[];
  readonly targets: readonly FoundCandidate[];
  /** The selected tensors that stay as they are, such as tied ones. */
  readonly skipped: readonly Skipped[];
}

/**
 * Finds the tensors to prune. Without a name, the selector takes the main weight of each host.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `OPTION`, `PATTERN`, `LIMIT`; `DTYPE` for a tensor that is not
 * float32; `UNMATCHED_RULE` if a condition matches nothing, or only tensors that cannot be pruned
 */
export function pruningTargets(caller: string, model: object, selector: Selector): PruningTargets {
  checkModel(caller, model);
  const candidates = candidatesOf(caller, model);
  const { selected, unmatched } = select(caller, candidates, selector, 'main');
  if (unmatched.length > 0) throw unmatchedSelector(caller, unmatched);
  const skipped = selected.flatMap((candidate): Skipped[] => {
    const reason = whyClosed(candidates, candidate);
    return reason === null ? [] : [{ candidate, rule: 0, kind: prune.name, reason }];
  });
  const targets = selected.filter((candidate) => !skipped.some((one) => one.candidate === candidate));
  if (targets.length === 0) {
    const facts = skipped.map(
      ({ candidate, reason }) => `'${tensorPath(candidate)}' stays, because ${reason}`,
    );
    throw unmatchedSelector(caller, facts.length > 0 ? facts : ['the model has no main weights']);
  }
  for (const candidate of targets) {
    if (candidate.dtype === 'float32') continue;
    throw refusal(
      'DTYPE',
      caller,
      `'${tensorPath(candidate)}' has dtype ${candidate.dtype}, and masks are for float32`,
      'Leave it out by exclude.',
    );
  }
  return { candidates, targets, skipped };
}

/** The part of the options of a verb that selects tensors. */
export const selectorIn = (options: Selector): Selector =>
  Object.fromEntries(
    selectorKeys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );

/** Makes the plan of a call of `prune` on each of some tensors. */
export function pruningPlan(
  { candidates, targets, skipped }: PruningTargets,
  planned: readonly (readonly [FoundCandidate, PlannedStep['options']])[],
): Plan {
  return {
    unit: 'rule',
    candidates,
    steps: planned.map(([candidate, options]) => ({
      candidate,
      rule: 0,
      kind: prune.name,
      apply: prune,
      options,
      replaces: null,
    })),
    unchanged: targets
      .filter((target) => !planned.some(([candidate]) => candidate === target))
      .map((candidate) => ({ candidate, rule: 0, kind: prune.name })),
    skipped,
    unmatched: [],
    matched: new Set([...targets, ...skipped.map(({ candidate }) => candidate)].map(({ index }) => index)),
  };
}

/** Returns the last mask of a chain with its index, or null. */
export function maskIn(
  list: ParametrizationList | null | undefined,
): { readonly map: Prune; readonly at: number } | null {
  const at = [...(list ?? [])].map((one) => one instanceof Prune).lastIndexOf(true);
  return at < 0 ? null : { map: list![at] as Prune, at };
}
