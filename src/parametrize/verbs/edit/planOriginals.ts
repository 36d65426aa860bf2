import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../../core/errors.ts';
import { disposeVariable, makeVariable } from '../../../engine/variable.ts';
import { isBuffer, markBuffer } from '../../../nn/module/parameter.ts';
import { planOriginalValues } from '../../chain/assignment.ts';
import type { ChainStep } from '../../chain/chainStep.ts';
import type { OriginalName } from '../../chain/listParts.ts';
import {
  enterOriginal,
  leaveOriginal,
  listsWithOriginal,
  type Registration,
  registrationsOf,
} from '../../chain/registry.ts';
import { checkSpec, isLike, originalNamesFor, type TensorSpec } from '../../chain/rightInverse.ts';
import { type Commit, retireVariable, takeName, undoable } from '../../transaction.ts';

/**
 * Plans other originals of a chain.
 *
 * If the first step stays and no other tensor shares the originals, the variables stay and are assigned. Otherwise the
 * originals are made as by a registration: the last original with the shape and dtype of the tensor is the variable of
 * the host.
 *
 * @param first - the first step of the new chain; undefined if it has none
 * @param originals - the values of the originals
 * @param spec - the shape and dtype of the value of the new chain
 * @returns a function that gives the chain the originals; the caller undoes changes of the fields of the list
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if a removed original is parametrized itself; `RIGHT_INVERSE`,
 * `SHAPE`, `DTYPE`
 */
export function planOriginals(
  caller: string,
  registration: Registration,
  first: ChainStep | undefined,
  originals: Tensor | Tensor[],
  spec: TensorSpec,
): Commit {
  const { list } = registration;
  const values = [originals].flat();
  const isShared = list.ownVariables().some((variable) => listsWithOriginal(variable).size > 1);
  if (first === list.steps[0] && !isShared) {
    const plan = planOriginalValues(caller, list, values);
    return () => {
      for (const [variable, value] of plan) variable.assign(value);
    };
  }
  if (registrationsOf(list).size > 0) {
    throw refusal(
      'UNSUPPORTED_HOST',
      caller,
      `${list.label} would have other originals, and one of them is parametrized itself`,
      'Remove the parametrizations of the original first.',
    );
  }
  if (!Array.isArray(originals)) {
    const remedy = 'A single original keeps the dtype of the tensor.';
    const wanted = { ...spec, shape: originals.shape };
    checkSpec(caller, 'what rightInverse returned', originals, wanted, remedy);
  }
  return () => replaceOriginals(registration, first, originalNamesFor(originals), values, spec);
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
  const isTrained = list.wasTrainable ?? ofHost?.trainable ?? before.some(({ trainable }) => trainable);
  const variables = values.map((value, i) => {
    const known = i === adopted ? ofHost : free.find((one) => one !== ofHost && list[names[i]!] === one);
    const variable =
      known !== undefined && isLike(known, value)
        ? assigned(known, value)
        : made(value, before.some(isBuffer));
    variable.trainable = first?.trainable[i] ?? isTrained;
    return variable;
  });
  const decides = first?.trainable.some((trainable) => trainable !== undefined) === true;
  for (const name of list.originalNames) if (!names.includes(name)) Reflect.deleteProperty(list, name);
  for (const [i, name] of names.entries()) {
    Object.defineProperty(list, name, { value: variables[i], enumerable: true, configurable: true });
  }
  list.originalNames = names;
  list.wasTrainable = decides ? isTrained : undefined;
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

function assigned(variable: Variable, value: Tensor): Variable {
  const { trainable } = variable;
  undoable(() => {
    variable.trainable = trainable;
  });
  if (variable.dataId !== value.dataId) variable.assign(value);
  return variable;
}

function made(value: Tensor, asBuffer: boolean): Variable {
  const variable = makeVariable(value, true);
  undoable(() => disposeVariable(variable));
  return asBuffer ? markBuffer(variable) : variable;
}
