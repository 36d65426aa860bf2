import { ParametrizeError } from '../../core/errors.ts';
import { scoped } from '../../engine/scope.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { disposeOwned, registrationOf } from '../../parametrize/chain/registry.ts';
import { makeDefined } from '../../parametrize/define.ts';
import { definitionOf } from '../../parametrize/definition.ts';
import { addedHostKindOf } from '../../parametrize/host/hostKind.ts';
import { siteOf } from '../../parametrize/host/site.ts';
import type { ParametrizationLike } from '../../parametrize/parametrization.ts';
import { transaction, undoable } from '../../parametrize/transaction.ts';
import { type StepChange, watchingChanges } from '../../parametrize/verbs/changeStep.ts';
import { planReplacement } from '../../parametrize/verbs/edit/planSteps.ts';
import { registerStep } from '../../stateDict/registerStep.ts';
import { tensorPath } from '../select/candidate.ts';
import { movedFrom } from './movedFrom.ts';
import type { Plan, PlannedStep } from './plan.ts';

/** A step of a plan that was registered. */
export interface AppliedStep {
  readonly step: PlannedStep;
  /** The parametrizations that the function has registered: mostly one. */
  readonly registered: readonly ParametrizationLike[];
  readonly list: ParametrizationList;
  /**
   * The relative distance by which the step moved the value. Null if the map has no set, or if reading the value would
   * wait for a device.
   */
  readonly moved: number | null;
  /** The changes of parametrizations that were there, if the function has changed instead of registered. */
  readonly changes: readonly StepChange[];
}

/**
 * Registers the steps of a plan, all or nothing. A compiled model is synced.
 *
 * @throws {@link ParametrizeError} of the first tensor that a step does not fit; the message has every such tensor
 */
export function applyPlan(
  caller: string,
  model: object,
  { unit, steps }: Pick<Plan, 'unit' | 'steps'>,
): AppliedStep[] {
  return applyEach(caller, model, steps, {
    labelOf: ({ candidate, rule }) => {
      const path = `'${tensorPath(candidate)}'`;
      return unit === 'rule' ? `rule ${rule + 1}, ${path}` : path;
    },
    apply: (step) => applyStep(caller, step),
  });
}

/**
 * Makes changes, all or nothing. A compiled model is synced.
 *
 * @throws the error of the first change that fails; the message has every such change
 */
export function applyEach<T, R>(
  caller: string,
  model: object,
  changes: readonly T[],
  { labelOf, apply }: { readonly labelOf: (change: T) => string; readonly apply: (change: T) => R },
): R[] {
  return transaction(() => {
    const applied = tryEach(caller, changes, {
      labelOf,
      apply: (change) => transaction(() => apply(change)),
    });
    if (applied.length > 0) addedHostKindOf(model)?.sync?.(caller, model);
    return applied;
  });
}

/**
 * Does something for each change of a plan.
 *
 * @throws the error of the first change that fails; the message has every such change
 */
export function tryEach<T, R>(
  caller: string,
  changes: readonly T[],
  { labelOf, apply }: { readonly labelOf: (change: T) => string; readonly apply: (change: T) => R },
): R[] {
  const failures: { readonly label: string; readonly error: unknown }[] = [];
  const done = changes.flatMap((change): R[] => {
    try {
      return [apply(change)];
    } catch (error) {
      failures.push({ label: labelOf(change), error });
      return [];
    }
  });
  if (failures.length > 0) throw failureOf(caller, failures);
  return done;
}

function applyStep(caller: string, step: PlannedStep): AppliedStep {
  const { host, tensor } = step.candidate;
  const hasSet = definitionOf(step.apply)?.set !== undefined;
  const distance = hasSet ? scoped(caller, () => movedFrom(siteOf(host, tensor).inspect(caller))) : null;
  const run = step.replaces === null ? undefined : () => replace(caller, step, step.replaces!);
  const {
    result: { list, registered },
    changes,
  } = watchingChanges(() => registerStep(host, tensor, step, run));
  if (list === null || registered.length + changes.length === 0) {
    throw new ParametrizeError('INVALID_PARAMETRIZATION', {
      caller,
      fact: `${step.kind} has registered nothing on ${tensor}`,
      remedy: 'Call registerParametrization(host, name, …) in it.',
    });
  }
  const moved = distance && scoped(caller, () => distance(siteOf(host, tensor).inspect(caller)));
  return { step, registered, list, moved, changes };
}

function replace(
  caller: string,
  { candidate: { host, tensor }, apply, options, kind }: PlannedStep,
  replaced: ParametrizationLike,
): void {
  const definition = definitionOf(apply);
  if (definition === undefined) {
    throw new ParametrizeError('UNSUPPORTED', {
      caller,
      fact: `${kind} cannot take the place of a step, because nothing defines what it makes`,
      remedy: 'Make the function with defineParametrization.',
    });
  }
  const site = siteOf(host, tensor);
  const at = [...(registrationOf(host, tensor)?.list ?? [])].indexOf(replaced);
  scoped(caller, () => {
    const made = makeDefined(definition, site.inspect(caller), site, options);
    undoable(() => disposeOwned(made));
    planReplacement(caller, site, at, made, 'value')();
  });
}

/** One error for all tensors that failed; that of a single one keeps its class and is its cause. */
function failureOf(
  caller: string,
  failures: readonly { readonly label: string; readonly error: unknown }[],
): unknown {
  const [first] = failures;
  const { error } = first!;
  // The user's own errors are theirs to recognize.
  if (!(error instanceof ParametrizeError)) return error;
  const facts = failures.map(({ label, error }) => `${label}: ${factWithout(error)}`);
  const cause = failures.length === 1 ? error : new AggregateError(failures.map((one) => one.error));
  const { code, remedy } = error;
  return new ParametrizeError(code, { caller, fact: facts.join('; '), remedy }, { cause });
}

const factWithout = (error: unknown): string =>
  error instanceof ParametrizeError ? error.fact : String(error instanceof Error ? error.message : error);
