import type { Variable } from '@tensorflow/tfjs-core';
import { isAlive } from '../../engine/variable.ts';
import { definitionOf } from '../definition.ts';
import { undoable } from '../transaction.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { listsWithOriginal } from './registry.ts';

// Note [Frozen bases]. A map whose definition has `freezesBase` trains parameters of its own in place of what it maps.
// The base of such a map is everything before it in the chain: the originals, and the parameters of maps that freeze
// nothing themselves. The list notes the training flag of each variable of the base, and gives the flag back when the
// variable leaves the base: when the map is removed, or when the chain ends.

/** Freezes the variables that are in the base of a chain now, and gives those that are not any more their flag back. */
export function holdBase(list: ParametrizationList): void {
  const base = new Set(baseOf(list));
  for (const variable of list.frozenBase.keys()) if (!base.has(variable)) release(list, variable);
  for (const variable of base) {
    if (list.frozenBase.has(variable)) continue;
    const { trainable } = variable;
    list.frozenBase.set(variable, trainable);
    variable.trainable = false;
    undoable(() => {
      list.frozenBase.delete(variable);
      if (isAlive(variable)) variable.trainable = trainable;
    });
  }
}

/** Gives all variables of the base of a chain their training flag back. */
export function releaseBase(list: ParametrizationList): void {
  for (const variable of [...list.frozenBase.keys()]) release(list, variable);
}

function release(list: ParametrizationList, variable: Variable): void {
  const trainable = list.frozenBase.get(variable)!;
  list.frozenBase.delete(variable);
  undoable(() => void list.frozenBase.set(variable, trainable));
  const others = [...listsWithOriginal(variable)].filter((other) => other !== list);
  if (!isAlive(variable) || others.some(({ frozenBase }) => frozenBase.has(variable))) return;
  const before = variable.trainable;
  variable.trainable = trainable;
  undoable(() => {
    variable.trainable = before;
  });
}

function baseOf(list: ParametrizationList): Variable[] {
  const freezes = list.steps.map(({ registered }) => definitionOf(registered)?.freezesBase === true);
  const end = freezes.lastIndexOf(true);
  if (end < 0) return [];
  const isInBase = (key: string): boolean => {
    const step = /^\d+(?=\.)/.exec(key);
    // Other keys are those of originals.
    return step === null || (Number(step[0]) < end && !freezes[Number(step[0])]);
  };
  return list.namedParameters().flatMap(([key, variable]) => (isInBase(key) ? [variable] : []));
}
