import { ParametrizeError } from '../../core/errors.ts';
import { isRecord } from '../../core/guards.ts';
import { typeName } from '../../core/text.ts';
import { checkedOptions, definitionOf } from '../../parametrize/definition.ts';
import type { Parametrization, ParametrizationLike } from '../../parametrize/parametrization.ts';
import { appliedBefore } from '../../stateDict/appliedSteps.ts';
import type { Catalog, TensorRecipe } from '../../stateDict/recipe.ts';
import { type FoundCandidate, tensorPath } from '../select/candidate.ts';
import { select } from '../select/select.ts';
import { whyClosed } from '../select/whyClosed.ts';
import { type Conflict, checkConflicts } from './checkConflicts.ts';
import { type CheckedRule, checkedRule, type Rule } from './rule.ts';
import { hasOptions } from './sameOptions.ts';

/** One step that is to be registered on one tensor. */
export interface PlannedStep {
  readonly candidate: FoundCandidate;
  /** The number of the rule, or of the entry of the recipe, from 0. */
  readonly rule: number;
  /** The kind of the step in recipes. */
  readonly kind: string;
  readonly apply: Catalog[string];
  readonly options: Readonly<Record<string, unknown>>;
  /** The step of the chain whose place it takes, or null. */
  readonly replaces: ParametrizationLike | null;
}

/** A tensor that stays as it is, and the reason. */
export interface Skipped {
  readonly candidate: FoundCandidate;
  readonly rule: number;
  readonly kind: string;
  readonly reason: string;
}

/** A tie that a recipe asks for. */
export interface PlannedTie {
  readonly candidate: FoundCandidate;
  /** The number of the entry of the recipe, from 0. */
  readonly rule: number;
  readonly entry: TensorRecipe;
  /** The tensor that is read in the end: the source, or if that is tied, its source. */
  readonly source: TieRoot;
}

/** A tensor that tied tensors read. */
export interface TieRoot {
  readonly host: object;
  readonly name: string;
  readonly isTransposed: boolean;
}

/** The changes that rules or a recipe ask for; nothing is evaluated to make it. */
export interface Plan {
  /** The things that steps are numbered by. */
  readonly unit: 'rule' | 'entry';
  readonly candidates: readonly FoundCandidate[];
  readonly steps: readonly PlannedStep[];
  /** Steps that are there already. */
  readonly unchanged: readonly Omit<Skipped, 'reason'>[];
  readonly skipped: readonly Skipped[];
  /** The numbers of optional rules that match nothing. */
  readonly unmatched: readonly number[];
  /** The candidates that some rule matched, by their index. */
  readonly matched: ReadonlySet<number>;
  /** The originals that a recipe freezes, by the index of the candidate. */
  readonly frozen?: ReadonlyMap<number, readonly string[]>;
  /** The ties of a recipe, which come after the steps. */
  readonly ties?: readonly PlannedTie[];
}

/**
 * Resolves rules against tensors.
 *
 * @param findCandidates - returns every tensor that a rule may match; called after the rules were checked
 * @throws {@link ParametrizeError} `OPTION`, `PATTERN`, `UNKNOWN_RECIPE`, `UNMATCHED_RULE`, `CONFLICT`, `LIMIT`.
 * An unmatched rule and a conflict are listed with all others of their kind
 */
export function planRules(
  caller: string,
  findCandidates: () => readonly FoundCandidate[],
  rules: readonly Rule[],
  catalog: Catalog,
): Plan {
  if (!Array.isArray(rules)) {
    throw new ParametrizeError('OPTION', {
      caller,
      fact: `the rules are ${typeName(rules)}`,
      remedy: 'Pass an array of rules: [{ type: nn.Linear, apply: weightNorm }].',
    });
  }
  const named = (rule: number): string => `${caller}: rule ${rule + 1}`;
  const checked = rules.map((rule: Rule, i) => checkedRule(named(i), rule, catalog));
  const planner = new Planner(findCandidates());
  const unmatched: string[] = [];
  for (const [i, rule] of checked.entries()) {
    const byDefault = 'main';
    const selection = select(named(i), planner.candidates, rule.selector, byDefault);
    if (selection.unmatched.length > 0 || selection.selected.length === 0) {
      if (!rule.isOptional) unmatched.push(...selection.unmatched.map((fact) => `rule ${i + 1}: ${fact}`));
      else if (selection.selected.length === 0) planner.unmatched.push(i);
    }
    for (const candidate of selection.selected) planner.add(named(i), i, rule, candidate);
  }
  if (unmatched.length > 0) throw unmatchedError(caller, unmatched, planner.candidates);
  checkConflicts(caller, planner.conflicts);
  return planner;
}

/** Collects what rules do to tensors. */
class Planner implements Plan {
  readonly unit = 'rule';
  readonly candidates: readonly FoundCandidate[];
  readonly steps: PlannedStep[] = [];
  readonly unchanged: Omit<Skipped, 'reason'>[] = [];
  readonly skipped: Skipped[] = [];
  readonly unmatched: number[] = [];
  readonly matched = new Set<number>();
  readonly conflicts: Conflict[] = [];
  private readonly closedBy = new Map<number, number>();
  private readonly plannedOn = new Map<number, PlannedStep[]>();

  constructor(candidates: readonly FoundCandidate[]) {
    this.candidates = candidates;
  }

  add(caller: string, number: number, rule: CheckedRule, candidate: FoundCandidate): void {
    this.matched.add(candidate.index);
    const { apply, kind, onConflict } = rule;
    if (apply === null) {
      if (!this.closedBy.has(candidate.index)) this.closedBy.set(candidate.index, number);
      return;
    }
    const closed = this.whyClosed(candidate);
    const options = closed === null ? optionsFor(caller, rule, candidate) : null;
    if (options === null) {
      const reason = closed ?? 'the options are null';
      this.skipped.push({ candidate, rule: number, kind, reason });
      return;
    }
    this.plan({ candidate, rule: number, kind, apply, options, replaces: null }, onConflict);
  }

  /** The reason why rules leave a tensor as it is, or null. */
  private whyClosed(candidate: FoundCandidate): string | null {
    const by = this.closedBy.get(candidate.index);
    return by === undefined ? whyClosed(this.candidates, candidate) : `rule ${by + 1} leaves it as it is`;
  }

  private plan(step: PlannedStep, onConflict: CheckedRule['onConflict']): void {
    const { candidate, rule, kind, apply } = step;
    const before = this.plannedOn.get(candidate.index) ?? [];
    const path = tensorPath(candidate);
    const rival = before.find((one) => one.kind === kind);
    const { secondCall, originals = {} } = definitionOf(apply) ?? {};
    if (rival !== undefined && secondCall === undefined) {
      this.conflicts.push({
        fact: `rules ${rival.rule + 1} and ${rule + 1} both register ${kind} on '${path}'`,
        remedy: 'Leave the tensor out of one of the rules by exclude.',
      });
      return;
    }
    const count = Object.keys(originals).length;
    const there = candidate.registered.find((registered) => isOfKind(candidate, registered, step));
    if (there !== undefined && onConflict !== 'append') {
      const wouldDo = secondCall?.plan(there as Parametrization, step.options);
      if (wouldDo === 'change') {
        this.steps.push(step);
        this.plannedOn.set(candidate.index, [...before, step]);
        return;
      }
      const isSame =
        wouldDo === 'unchanged' ||
        hasOptions(there, step.options, candidate.shape.length) ||
        appliedBefore(candidate.list, there, step);
      if (isSame || onConflict === 'keep') {
        this.unchanged.push({ candidate, rule, kind });
        return;
      }
      if (onConflict === 'error') {
        this.conflicts.push({
          fact: `rule ${rule + 1}: '${path}' has a ${kind} with other options`,
          remedy: `Pass onConflict: ${count > 1 ? "'keep' or 'replace'" : "'keep', 'replace' or 'append'"}, or leave the tensor out by exclude.`,
        });
        return;
      }
    }
    const isFirst = before.length === 0 && candidate.registered.indexOf(there as ParametrizationLike) <= 0;
    const isAlone = candidate.registered.length === 0 || (onConflict === 'replace' && there !== undefined);
    if (count > 1 && !(isFirst && isAlone)) {
      this.conflicts.push({
        fact: `rule ${rule + 1}: ${kind} takes ${count} originals, but '${path}' is parametrized already`,
        remedy:
          candidate.registered.length === 0
            ? `Put the rule of ${kind} before the others of the tensor.`
            : 'Remove the parametrizations of the tensor first, or leave it out by exclude.',
      });
      return;
    }
    const planned = onConflict === 'replace' && there !== undefined ? { ...step, replaces: there } : step;
    this.steps.push(planned);
    this.plannedOn.set(candidate.index, [...before, planned]);
  }
}

/** True if a registered parametrization is what the function of a step registers. */
function isOfKind(candidate: FoundCandidate, registered: ParametrizationLike, step: PlannedStep): boolean {
  const definition = definitionOf(registered);
  if (definition !== undefined && definition === definitionOf(step.apply)) return true;
  return appliedBefore(candidate.list, registered, { ...step, options: null });
}

/** The options of a rule for a tensor; null if it leaves the tensor as it is. */
function optionsFor(
  caller: string,
  { apply, options }: CheckedRule,
  candidate: FoundCandidate,
): Record<string, unknown> | null {
  const given: unknown = typeof options === 'function' ? options(candidate) : options;
  if (given === null) return null;
  const definition = definitionOf(apply);
  if (definition !== undefined) {
    return checkedOptions(definition, caller, (given ?? {}) as Record<string, unknown>);
  }
  if (given === undefined || isRecord(given)) return { ...given };
  throw new ParametrizeError('OPTION', {
    caller,
    fact: `the options for '${tensorPath(candidate)}' are ${typeName(given)}`,
    remedy: 'Pass an object, or null to leave the tensor as it is.',
  });
}

function unmatchedError(
  caller: string,
  facts: readonly string[],
  candidates: readonly FoundCandidate[],
): ParametrizeError {
  const remedy =
    candidates.length === 0
      ? 'Build the model first: give its first layer an inputShape.'
      : 'Correct the rule, or pass optional: true for one that may match nothing.';
  return new ParametrizeError('UNMATCHED_RULE', { caller, fact: facts.join('; '), remedy });
}
