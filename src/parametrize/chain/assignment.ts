import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { alias } from '../../engine/scope.ts';
import { declaredDependencies } from './dependencyKey.ts';
import { preservingState } from './moduleState.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { checkComplete, writesOutside } from './readErrors.ts';
import { registrationOf } from './registry.ts';
import {
  checkInvertible,
  checkSpec,
  describeValue,
  invertSteps,
  isTensor,
  stepName,
} from './rightInverse.ts';

/**
 * Finds the originals for which the chain gives `value`, through the right inverses. Writes nothing, so an assignment
 * is all or nothing (law L5).
 *
 * @returns each variable with its new value; a parametrized original gives the variables of its own chain
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `SHAPE`, `DTYPE`, `RIGHT_INVERSE`, `DISPOSED`
 */
export function planAssignment(
  caller: string,
  list: ParametrizationList,
  value: unknown,
): [Variable, Tensor][] {
  if (!isTensor(value)) {
    throw refusal('NOT_A_VARIABLE', caller, `expected a tensor, got ${describeValue(value)}`);
  }
  list.checkAlive();
  checkComplete(caller, list);
  checkSpec(caller, 'the value', value, list, 'Assign a tensor like the current value.');
  checkInvertible(
    caller,
    list.steps,
    'Add one, or write to the originals: parametrizationsOn(host, name).original.',
  );
  return planOriginalValues(caller, list, [invertSteps(caller, list.steps, value)].flat());
}

/**
 * Finds the variables of a chain, with the values that give its originals these values. Writes nothing.
 *
 * @throws {@link ParametrizeError} as {@link planAssignment}
 */
export function planOriginalValues(
  caller: string,
  list: ParametrizationList,
  originals: readonly Tensor[],
): [Variable, Tensor][] {
  if (originals.length !== list.originalNames.length) {
    throw refusal(
      'RIGHT_INVERSE',
      caller,
      `rightInverse of ${stepName(list.steps[0]!)} returned ${originals.length} tensor(s), but there are ${list.originalNames.length} originals`,
    );
  }
  return list.originalNames.flatMap((name, i): [Variable, Tensor][] => {
    const original = originals[i]!;
    const nested = registrationOf(list, name);
    if (nested !== undefined) return planAssignment(caller, nested.list, original);
    const variable = list[name]!;
    const what = `what rightInverse returned for ${name}`;
    checkSpec(caller, what, original, variable, 'Return it like the original.');
    return [[variable, original]];
  });
}

/**
 * Finds the values of variables, in order, for which a chain gives a value. Writes nothing.
 *
 * @throws the errors of {@link planAssignment}; `RIGHT_INVERSE` if a right inverse writes a dependency outside of the
 * variables
 */
export function planState(
  caller: string,
  list: ParametrizationList,
  value: Tensor,
  variables: readonly Variable[],
): Tensor[] {
  return preservingState(list.modules(), () => {
    const outside = declaredDependencies(list).filter((variable) => !variables.includes(variable));
    const before = outside.map(({ dataId }) => dataId);
    const plan = new Map(planAssignment(caller, list, value));
    const written = outside.find(({ dataId }, i) => dataId !== before[i]);
    if (written !== undefined) throw writesOutside(caller, list.label, written);
    // A right inverse may write buffers, which are a part of the state.
    return variables.map((variable) => plan.get(variable) ?? alias(variable as Tensor));
  });
}
