import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { guardSteps } from '../../engine/optimizerGuard.ts';
import { disposeVariable, makeVariable } from '../../engine/variable.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import { isBuffer, markBuffer } from '../../nn/module/parameter.ts';
import { releaseBase } from '../chain/frozenBase.ts';
import { inspectAfter } from '../chain/inspectAfter.ts';
import { ParametrizationList } from '../chain/parametrizationList.ts';
import { checkComplete } from '../chain/readErrors.ts';
import {
  announced,
  deleteRegistration,
  disposeOwned,
  enterOriginal,
  listsWithOriginal,
  type Registration,
  registrationsOf,
} from '../chain/registry.ts';
import { registrationAt } from '../host/registrationAt.ts';
import type { Site } from '../host/site.ts';
import { checkConfigurable } from '../host/tensorAccessor.ts';
import { atCommit, type Commit, retireVariable, takeName, undoable } from '../transaction.ts';

/** A registration with its location. */
interface LocatedRegistration extends Registration {
  readonly host: object;
  readonly name: string;
}

/**
 * Does every part of a removal that can fail, and changes nothing (law L5). The chain is evaluated once, in eval mode
 * unless it is pure, and its state does not change.
 *
 * @param caller - the public function, for messages
 * @returns the rest of the removal, to be called in the same tidy, in a transaction
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `OPTION`, `DISPOSED`, `IMMUTABLE_HOST`; and the errors of
 * parametrizations
 */
export function planRemoval(caller: string, site: Site, leaveParametrized: boolean): Commit {
  const registration = registrationAt(caller, site);
  const { list: chain } = registration;
  if (!leaveParametrized && chain.originalNames.length > 1) {
    throw refusal(
      'OPTION',
      caller,
      `${chain.label} has ${chain.originalNames.length} originals, and leaveParametrized: false leaves exactly one`,
      'Drop leaveParametrized: false.',
    );
  }
  const located = withNested({ ...registration, host: site.owner, name: site.name });
  for (const { list, attachment } of located) {
    list.checkAlive();
    checkComplete(caller, list);
    attachment.checkUninstall?.(caller);
    checkConfigurable(caller, list, list.originalNames);
  }
  const isWhole = leaveParametrized || chain.originalNames.length === 0;
  const value = isWhole ? chain.inspect() : inspectAfter(chain, 0);
  return () => announced(site.owner, () => takeAway(located, value));
}

/**
 * Returns a registration and the registrations on its originals, at any depth. Each comes after those on its own
 * originals.
 */
function withNested(located: LocatedRegistration): LocatedRegistration[] {
  const { list } = located;
  const nested = [...registrationsOf(list)].map(([name, inner]) => ({ ...inner, host: list, name }));
  return [...nested.flatMap(withNested), located];
}

function takeAway(located: readonly LocatedRegistration[], value: Tensor): void {
  const { host, list, variableName } = located.at(-1)!;
  for (const one of located) releaseBase(one.list);
  const variables = originalsOf(list);
  const variable = takeVariable(variables, value);
  if (tieOf(list)?.wasBuffer === true) markBuffer(variable);
  const { wasTrainable, trainableBelow } = list;
  const { trainable } = variable;
  undoable(() => {
    variable.trainable = trainable;
  });
  variable.trainable = wasTrainable || (trainableBelow ?? trainable);
  const registered = located.flatMap((one) => [...one.list]);
  for (const one of located) {
    deleteRegistration(one.host, one.name);
    one.attachment.uninstall(one.list, variable);
  }
  if (host instanceof ParametrizationList) enterOriginal(variable, host);
  for (const other of variables) {
    if (other !== variable && listsWithOriginal(other).size === 0) retireVariable(other);
  }
  // The originals are retired now; one of them may have had the name.
  if (variableName !== undefined) takeName(variable, variableName);
  for (const one of located) retireList(one.list);
  for (const one of registered) atCommit(() => disposeOwned(one));
}

/** Returns the variables that the originals of a list are computed from, in the order of the originals. */
function originalsOf(list: ParametrizationList): Variable[] {
  const nested = registrationsOf(list);
  return list.originalNames.flatMap((name) => {
    const inner = nested.get(name);
    if (inner !== undefined) return originalsOf(inner.list);
    return [Object.getOwnPropertyDescriptor(list, name)!.value as Variable];
  });
}

/**
 * Returns the variable for the host: the last original that fits and is not shared with another host, or a new
 * variable.
 */
function takeVariable(variables: readonly Variable[], value: Tensor): Variable {
  const fits = (variable: Variable): boolean =>
    variable.dtype === value.dtype &&
    tf.util.arraysEqual(variable.shape, value.shape) &&
    listsWithOriginal(variable).size <= 1;
  const kept = variables.filter(fits).at(-1);
  if (kept === undefined) {
    const replacement = makeVariable(
      value,
      variables.some(({ trainable }) => trainable),
    );
    undoable(() => disposeVariable(replacement));
    guardSteps([replacement]);
    return variables.some(isBuffer) ? markBuffer(replacement) : replacement;
  }
  if (kept.dataId !== value.dataId) kept.assign(value);
  return kept;
}

/** Empties a list without a host at the commit, so that code that still holds it cannot reach the host's variable. */
export function retireList(list: ParametrizationList): void {
  atCommit(() => {
    list.clear();
    for (const name of list.originalNames) Reflect.deleteProperty(list, name);
    list.setSteps([]);
  });
}
