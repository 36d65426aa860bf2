import { refusal } from '../../../core/errors.ts';
import { typeName } from '../../../core/text.ts';
import { type ChainStep, chainStep } from '../../chain/chainStep.ts';
import { inspectAfter } from '../../chain/inspectAfter.ts';
import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import { leaveStep } from '../../chain/registry.ts';
import { stepName } from '../../chain/rightInverse.ts';
import { definitionOf } from '../../definition.ts';
import { registrationAt } from '../../host/registrationAt.ts';
import type { Site } from '../../host/site.ts';
import type { Commit } from '../../transaction.ts';
import { checkRegistrationRoom } from '../checkRegistrationRoom.ts';
import { planRemoval } from '../planRemoval.ts';
import { invertTo } from './invertTo.ts';
import type { Keep } from './keep.ts';
import { planEdit } from './planEdit.ts';

/**
 * Plans the insertion of a parametrization into a chain. At the start, the right inverse of the parametrization gives
 * the new originals. Elsewhere, no original changes.
 *
 * @param at - the index of the parametrization
 * @throws {@link ParametrizeError} `INVALID_PARAMETRIZATION`, `OPTION` for an index that does not exist,
 * `OUT_OF_MEMORY`; the errors of {@link planEdit}
 */
export function planInsertion(
  caller: string,
  site: Site,
  registered: unknown,
  at: number,
  unsafe = false,
): Commit {
  const { list } = registrationAt(caller, site);
  checkIndex(caller, list, at, list.length);
  checkRegistrationRoom(caller, site, definitionOf(registered));
  const steps = spliced(list.steps, at, 0, chainStep(caller, registered));
  if (at > 0) return planEdit(caller, site, { steps }, unsafe);
  checkSingle(caller, list, 'Insert it at a later place.');
  checkMovable(caller, list);
  return planEdit(
    caller,
    site,
    { steps, invert: invertTo(caller, registrationAt(caller, site), steps, 1, inspectAfter(list, 0)) },
    unsafe,
  );
}

/**
 * Plans the replacement of a parametrization.
 *
 * @param keep - `'value'`: the value after the step goes back through the right inverses up to the step. `'originals'`:
 * the originals stay, and the value changes
 * @throws {@link ParametrizeError} the errors of {@link planInsertion}
 */
export function planReplacement(
  caller: string,
  site: Site,
  at: number,
  registered: unknown,
  keep: Keep = 'value',
  unsafe = false,
): Commit {
  const { list } = registrationAt(caller, site);
  checkIndex(caller, list, at, list.length - 1);
  checkRegistrationRoom(caller, site, definitionOf(registered));
  const steps = spliced(list.steps, at, 1, chainStep(caller, registered));
  const leave = leaving(list.steps[at]!);
  if (keep === 'originals') return planEdit(caller, site, { steps, leave }, unsafe);
  return planEdit(
    caller,
    site,
    {
      steps,
      invert: invertTo(caller, registrationAt(caller, site), steps, at + 1, inspectAfter(list, at + 1)),
      leave,
    },
    unsafe,
  );
}

/**
 * Plans another order of the parametrizations of a chain.
 *
 * @param order - the old indices in the new order
 * @param keep - `'value'`: the value goes back through the right inverses in the new order. `'originals'`: the
 * originals stay, and the value changes
 * @throws {@link ParametrizeError} `OPTION` if an index is missing or repeated; the errors of {@link planEdit}
 */
export function planReordering(
  caller: string,
  site: Site,
  order: readonly number[],
  keep: Keep = 'value',
): Commit {
  const { list } = registrationAt(caller, site);
  const { length } = list;
  if (order.length !== length || !list.steps.every((_, index) => order.includes(index))) {
    throw refusal(
      'OPTION',
      caller,
      `the order of ${list.label} is [${order.join(', ')}], it must have each index below ${length} once`,
    );
  }
  if (order[0] !== 0) checkMovable(caller, list);
  const steps = order.map((index) => list.steps[index]!);
  if (order.every((index, at) => index === at)) return () => {};
  if (keep === 'originals') return planEdit(caller, site, { steps });
  return planEdit(caller, site, {
    steps,
    invert: invertTo(caller, registrationAt(caller, site), steps, length, inspectAfter(list, length)),
  });
}

/**
 * Plans the removal of one parametrization. If it is the only one, the chain is removed.
 *
 * @param keep - `'value'`: the value after the step goes back through the right inverses before it; for the first step,
 * it becomes the original. `'originals'`: the originals stay, and the value changes
 * @throws {@link ParametrizeError} `OPTION` for an index that does not exist, and for `keep: 'originals'` of the first
 * step, if it has several originals; the errors of {@link planEdit}
 */
export function planStepRemoval(caller: string, site: Site, at: number, keep: Keep = 'value'): Commit {
  const { list } = registrationAt(caller, site);
  checkIndex(caller, list, at, list.length - 1);
  if (keep === 'originals' && at === 0) checkSingle(caller, list, "Drop keep: 'originals'.");
  if (list.length === 1) return planRemoval(caller, site, keep === 'value');
  const steps = spliced(list.steps, at, 1);
  const leave = leaving(list.steps[at]!);
  if (keep === 'originals') return planEdit(caller, site, { steps, leave });
  return planEdit(caller, site, {
    steps,
    invert: invertTo(caller, registrationAt(caller, site), steps, at, inspectAfter(list, at + 1)),
    leave,
  });
}

/** Notes that a list has lost a step. */
const leaving =
  (step: ChainStep) =>
  (list: ParametrizationList): void =>
    leaveStep(step, list);

const spliced = (
  steps: readonly ChainStep[],
  at: number,
  removed: number,
  ...added: readonly ChainStep[]
): ChainStep[] => [...steps.slice(0, at), ...added, ...steps.slice(at + removed)];

/** Refuses an index that a chain does not have. */
export function checkIndex(caller: string, list: ParametrizationList, index: number, last: number): void {
  if (Number.isInteger(index) && index >= 0 && index <= last) return;
  throw refusal(
    'OPTION',
    caller,
    `the index is ${typeof index === 'number' ? index : typeName(index)}, ${list.label} has ${list.length} parametrization(s): it must be an integer from 0 to ${last}`,
  );
}

/** Refuses a change that needs the chain to have one original. */
export function checkSingle(caller: string, list: ParametrizationList, remedy: string): void {
  if (list.originalNames.length === 1) return;
  throw refusal(
    'OPTION',
    caller,
    `${list.label} has ${list.originalNames.length} originals, which only ${stepName(list.steps[0]!)} can take`,
    remedy,
  );
}

/** Refuses to put the first step behind another if its right inverse gives an array of originals. */
function checkMovable(caller: string, list: ParametrizationList): void {
  if (list.originalNames[0] === 'original') return;
  const name = stepName(list.steps[0]!);
  throw refusal(
    'RIGHT_INVERSE',
    caller,
    `rightInverse of ${name} gives an array of originals, so that ${name} can only be the first parametrization of ${list.label}`,
  );
}
