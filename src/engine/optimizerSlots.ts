import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { initialSlot } from './initialSlot.ts';
import { disposeVariable, disposingOnFailure } from './variable.ts';

/** One tensor of state that an optimizer keeps for one variable, such as `dense/kernel/m`. */
export interface Slot {
  originalName: string;
  variable: Variable;
}

/** The state arrays of the optimizers of tfjs; position i belongs to variable i of the list of `minimize`. */
const SLOT_FIELDS = [
  'accumulations', // momentum
  'accumulatedGrads', // adagrad, adadelta
  'accumulatedUpdates', // adadelta
  'accumulatedFirstMoment', // adam, adamax
  'accumulatedSecondMoment', // adam
  'accumulatedWeightedInfNorm', // adamax
  'accumulatedMeanSquares', // rmsprop
  'accumulatedMoments', // rmsprop
  'accumulatedMeanGrads', // rmsprop, centered
] as const;

/** True for an optimizer without slots, such as SGD. */
export const isStateless = (optimizer: Optimizer): boolean => optimizer.getClassName() === 'SGD';

/**
 * True if the state of this optimizer can be rearranged: it is an optimizer of tfjs, or keeps its state in the same
 * fields.
 */
export const hasKnownSlots = (optimizer: Optimizer): boolean =>
  isStateless(optimizer) || SLOT_FIELDS.some((field) => Array.isArray(slotsOf(optimizer, field)));

const slotsOf = (optimizer: Optimizer, field: string): (Slot | undefined)[] | undefined =>
  (optimizer as unknown as Record<string, (Slot | undefined)[] | undefined>)[field];

/**
 * Returns the first array of an optimizer's state, which has one slot for each variable. All its arrays have the same
 * order. Undefined before the first step, and for an optimizer without such state.
 */
export function firstSlots(optimizer: Optimizer): readonly (Slot | undefined)[] | undefined {
  for (const field of SLOT_FIELDS) {
    const slots = slotsOf(optimizer, field);
    if (Array.isArray(slots) && slots.length > 0) return slots;
  }
  return undefined;
}

/** Returns the name of the variable that tfjs made a slot for. */
export const ownerName = ({ originalName }: Slot): string =>
  originalName.slice(0, originalName.lastIndexOf('/'));

/** True for the variables in which an optimizer counts its steps. tfjs marks those of Adam and Adamax as trainable. */
export const isOwnVariable = (optimizer: Optimizer, variable: Variable): boolean =>
  Object.values(optimizer).includes(variable);

/**
 * Puts the slots of an optimizer in the order of these variables. Slots without a variable are retired. An array that
 * is empty before the first step stays empty.
 *
 * @param positions - the current position of the slots of each variable; undefined for a variable that starts as on a
 * first step
 * @param retire - gets each variable that no slot holds any more; by default, it is disposed
 * @returns a function that puts the old arrays back and disposes the new slots; it must run before a retired variable
 * is disposed
 */
export function arrangeSlots(
  optimizer: Optimizer,
  variables: readonly Variable[],
  positions: readonly (number | undefined)[],
  retire: (variable: Variable) => void = disposeVariable,
): () => void {
  const fields = optimizer as unknown as Record<string, (Slot | undefined)[]>;
  const made: Variable[] = [];
  const arrays = disposingOnFailure(() =>
    SLOT_FIELDS.flatMap((field) => {
      const before = slotsOf(optimizer, field);
      const first = before?.find((slot) => slot !== undefined);
      if (before === undefined || first === undefined) return [];
      const suffix = first.originalName.slice(first.originalName.lastIndexOf('/'));
      const after = variables.map((variable, i): Slot => {
        const position = positions[i];
        const state = position === undefined ? undefined : before[position]?.variable;
        const fits = state !== undefined && tf.util.arraysEqual(state.shape, variable.shape);
        if (!fits) made.push(initialSlot(optimizer, variable));
        return { originalName: variable.name + suffix, variable: fits ? state : made.at(-1)! };
      });
      return [{ field, before, after }];
    }),
  );
  for (const { field, before, after } of arrays) {
    const kept = new Set(after.map(({ variable }) => variable));
    for (const slot of before) if (slot !== undefined && !kept.has(slot.variable)) retire(slot.variable);
    fields[field] = after;
  }
  return () => {
    for (const { field, before } of arrays) fields[field] = before;
    for (const variable of made) disposeVariable(variable);
  };
}
