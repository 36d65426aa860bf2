import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../../core/errors.ts';
import { alias } from '../../../engine/scope.ts';
import { disposeVariable, makeVariable } from '../../../engine/variable.ts';
import { variablesIn } from '../../../nn/module/fields.ts';
import { isBuffer, markBuffer } from '../../../nn/module/parameter.ts';
import { planOriginalValues } from '../../chain/assignment.ts';
import type { ChainStep } from '../../chain/chainStep.ts';
import type { OriginalName } from '../../chain/listParts.ts';
import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import {
  enterOriginal,
  leaveOriginal,
  listsWithOriginal,
  type Registration,
  registrationsOf,
} from '../../chain/registry.ts';
import {
  checkDtypeKept,
  checkInvertible,
  invertSteps,
  isLike,
  originalNamesFor,
  type TensorSpec,
} from '../../chain/rightInverse.ts';
import { retireVariable, takeName, undoable } from '../../transaction.ts';
import type { Inversion } from './planEdit.ts';

/**
 * Finds the originals for which the first steps of a chain give a value, by the right inverses of these steps.
 *
 * A right inverse may write buffers. The caller undoes what is written here, and the commit writes it again.
 *
 * If the first step stays and no other tensor shares the originals, the variables stay and are assigned. Otherwise the
 * originals are made as by a registration: the last original with the shape and dtype of the tensor is the variable of
 * the host.
 *
 * @param steps - all steps of the new chain
 * @param count - the number of the first steps
 * @param value - their wanted value
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if a removed original is parametrized itself; `RIGHT_INVERSE`,
 * `SHAPE`, `DTYPE`; and the errors of right inverses
 */
export function invertTo(
  caller: string,
  registration: Registration,
  steps: readonly ChainStep[],
  count: number,
  value: Tensor,
): (added: readonly ChainStep[]) => Inversion {
  return (added) => {
    const { list } = registration;
    const modules = [list, ...added.flatMap(({ module }) => module ?? [])].flatMap((one) => one.modules());
    const variables = modules.flatMap(variablesIn);
    const before = variables.map(({ dataId }) => dataId);
    const back = steps.slice(0, count);
    const old = back.filter((step) => !added.includes(step));
    checkInvertible(caller, old, "Add one, or keep the originals: { keep: 'originals' }.");
    const inverse = invertSteps(caller, back, value);
    const originals = [inverse].flat();
    const first = steps[0];
    const isShared = list.ownVariables().some((variable) => listsWithOriginal(variable).size > 1);
    const assigned =
      first === list.steps[0] && !isShared ? planOriginalValues(caller, list, originals) : null;
    if (assigned === null) checkReplaceable(caller, list, inverse);
    const written = variables
      .filter(({ dataId }, i) => dataId !== before[i])
      .map((variable) => [variable, alias(variable as Tensor)] as const);
    const writes = [...written, ...(assigned ?? [])];
    return {
      originals,
      tensors: writes.map(([, tensor]) => tensor),
      take(spec) {
        for (const [variable, tensor] of writes) variable.assign(tensor);
        if (assigned !== null) return;
        replaceOriginals(registration, first, originalNamesFor(inverse), originals, spec);
      },
    };
  };
}

/** Refuses other originals than those of a registration, and those that would take a nested chain away. */
function checkReplaceable(caller: string, list: ParametrizationList, originals: Tensor | Tensor[]): void {
  if (registrationsOf(list).size > 0) {
    throw refusal(
      'UNSUPPORTED_HOST',
      caller,
      `${list.label} would have other originals, and one of them is parametrized itself`,
      'Remove the parametrizations of the original first.',
    );
  }
  checkDtypeKept(caller, originals, list);
}

function replaceOriginals(
  { list, variableName }: Registration,
  first: ChainStep | undefined,
  names: readonly OriginalName[],
  values: readonly Tensor[],
  spec: TensorSpec,
): void {
  const before = list.ownVariables();
  const free = before.filter((variable) => listsWithOriginal(variable).size <= 1);
  const ofHost = free.filter((variable) => isLike(variable, spec)).at(-1);
  const adopted = values.map((value) => isLike(value, spec)).lastIndexOf(true);
  const isTrained = list.trainableBelow ?? ofHost?.trainable ?? before.some(({ trainable }) => trainable);
  const variables = values.map((value, i) => {
    const known = i === adopted ? ofHost : free.find((one) => one !== ofHost && list[names[i]!] === one);
    const variable =
      known !== undefined && isLike(known, value)
        ? assignUndoably(known, value)
        : makeUndoably(value, before.some(isBuffer));
    variable.trainable = first?.trainable[i] ?? isTrained;
    return variable;
  });
  const decides = first?.trainable.some((trainable) => trainable !== undefined) === true;
  for (const name of list.originalNames) if (!names.includes(name)) Reflect.deleteProperty(list, name);
  for (const [i, name] of names.entries()) {
    Object.defineProperty(list, name, { value: variables[i], enumerable: true, configurable: true });
  }
  list.originalNames = names;
  list.trainableBelow = decides ? isTrained : undefined;
  for (const variable of variables) if (!before.includes(variable)) enterOriginal(variable, list);
  for (const variable of before.filter((one) => !variables.includes(one))) {
    leaveOriginal(variable, list);
    if (listsWithOriginal(variable).size === 0) retireVariable(variable);
  }
  // The old originals are retired now; one of them may have had the name.
  if (variableName !== undefined) {
    for (const [i, variable] of variables.entries()) {
      takeName(variable, i === adopted ? variableName : `${variableName}/${names[i]}`);
    }
  }
}

function assignUndoably(variable: Variable, value: Tensor): Variable {
  const { trainable } = variable;
  undoable(() => {
    variable.trainable = trainable;
  });
  if (variable.dataId !== value.dataId) variable.assign(value);
  return variable;
}

function makeUndoably(value: Tensor, asBuffer: boolean): Variable {
  const variable = makeVariable(value, true);
  undoable(() => disposeVariable(variable));
  return asBuffer ? markBuffer(variable) : variable;
}
