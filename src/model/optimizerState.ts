import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { guardClassOf, notTheirs } from '../engine/optimizerGuard.ts';
import {
  type Owners,
  ownersOf,
  ownersOfRestored,
  rememberOwners,
  setOwners,
} from '../engine/optimizerOwners.ts';
import { type OptimizerParts, partsOf } from '../engine/optimizerParts.ts';
import { arrangeSlots, hasKnownSlots, isOwnVariable } from '../engine/optimizerSlots.ts';
import { isAlive, isVariable } from '../engine/variable.ts';
import { retireVariable, undoable } from '../parametrize/transaction.ts';

/** Throws for an optimizer whose state cannot be moved. */
export function checkOptimizer(caller: string, optimizer: Optimizer): void {
  const parts = partsOf(optimizer);
  if (parts !== undefined) {
    for (const part of parts.optimizers) checkOptimizer(caller, part);
    return;
  }
  if (typeof optimizer?.applyGradients === 'function' && hasKnownSlots(optimizer)) return;
  throw refusal(
    'OPTION',
    caller,
    `${typeName(optimizer)} is none of the optimizers of tfjs, so its state cannot be moved`,
    'Make a new one.',
  );
}

/** Throws unless the list has live variables, each once. */
export function checkVariables(caller: string, variables: readonly Variable[]): void {
  if (!Array.isArray(variables) || !variables.every(isVariable)) {
    throw refusal('OPTION', caller, 'expected an array of variables, such as model.parameters()');
  }
  const seen = new Set<Variable>();
  for (const variable of variables) {
    if (seen.has(variable)) {
      throw refusal('OPTION', caller, `the variable '${variable.name}' stands in the list twice`);
    }
    if (!isAlive(variable)) {
      throw refusal(
        'DISPOSED',
        caller,
        `the variable '${variable.name}' in the list has been disposed`,
        'List the variables anew: model.parameters().',
      );
    }
    seen.add(variable);
  }
}

/**
 * Plans the state of an optimizer for these variables: their existing state, and initial state for new variables.
 *
 * @param keeps - true for each unlisted live variable whose state stays
 * @returns a function that makes the change, to be called in a transaction
 * @throws {@link ParametrizeError} `NOT_SYNCED` if `setWeights` has restored the state of another list
 */
export function planState(
  caller: string,
  optimizer: Optimizer,
  variables: readonly Variable[],
  keeps: (variable: Variable) => boolean,
): () => void {
  const parts = partsOf(optimizer);
  if (parts !== undefined) {
    return planParts(caller, parts, variables, (part, own) => planState(caller, part, own, keeps));
  }
  guardClassOf(optimizer);
  const known = ownersOf(optimizer);
  if (known === undefined) return () => {};
  const listed = variables.filter((variable) => !isOwnVariable(optimizer, variable));
  const owners = known === 'restored' ? ownersOfRestored(optimizer, listed) : known;
  if (owners === undefined) throw notTheirs(optimizer, caller, listed.length);
  const isListed = new Set(listed);
  const others = owners.filter(
    (owner) => owner !== undefined && !isListed.has(owner) && isAlive(owner) && keeps(owner),
  );
  const all = [...isListed, ...(others as Variable[])];
  const position = new Map(owners.map((owner, i) => [owner, i]));
  return () => {
    const positions = all.map((variable) => position.get(variable));
    undoable(arrangeSlots(optimizer, all, positions, retireVariable));
    noteOwners(optimizer, all);
  };
}

/** Notes the owners of all slots of an optimizer. An open transaction can undo it. */
export function noteOwners(optimizer: Optimizer, owners: Owners): void {
  undoable(rememberOwners(optimizer));
  setOwners(optimizer, owners);
}

/**
 * Plans the same as {@link planState} for an optimizer that may also train other models. The state of all live
 * variables stays, and nothing moves if no variable is new and none was disposed.
 */
export function planMissingState(
  caller: string,
  optimizer: Optimizer,
  variables: readonly Variable[],
): () => void {
  const parts = partsOf(optimizer);
  if (parts !== undefined) {
    return planParts(caller, parts, variables, (part, own) => planMissingState(caller, part, own));
  }
  const known = ownersOf(optimizer);
  if (Array.isArray(known)) {
    const owners = new Set(known);
    const lacks = variables.some((variable) => !owners.has(variable));
    if (!lacks && known.every((owner) => owner !== undefined && isAlive(owner))) return () => {};
  }
  return planState(caller, optimizer, variables, () => true);
}

/** Plans the state of every optimizer that another one hands its gradients to. */
function planParts(
  caller: string,
  { renew }: OptimizerParts,
  variables: readonly Variable[],
  plan: (part: Optimizer, own: readonly Variable[]) => () => void,
): () => void {
  const { parts, commit } = renew(caller, variables);
  const plans = parts.map(([part, own]) => plan(part, own!));
  return () => {
    commit();
    for (const run of plans) run();
  };
}
