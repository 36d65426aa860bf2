import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { disposeVariable, makeVariable } from './variable.ts';

/** One tensor of state that an optimizer keeps for one variable, such as `dense/kernel/m`. */
interface Slot {
  originalName: string;
  variable: Variable;
}

/** The state arrays of the optimizers of tfjs; position i belongs to the i-th variable that `minimize` is given. */
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

/** Optimizers whose only state is their step count. */
const isStateless = (optimizer: Optimizer): boolean => optimizer.getClassName() === 'SGD';

/** True if the state of this optimizer can be rearranged: it is one of the seven of tfjs, or keeps its state as they do. */
export const hasKnownSlots = (optimizer: Optimizer): boolean =>
  isStateless(optimizer) || SLOT_FIELDS.some((field) => Array.isArray(slotsOf(optimizer, field)));

const slotsOf = (optimizer: Optimizer, field: string): (Slot | undefined)[] | undefined =>
  (optimizer as unknown as Record<string, (Slot | undefined)[] | undefined>)[field];

/**
 * Puts the slots of an optimizer in the order of these variables, by name. Variables without slots get fresh ones; slots of
 * other variables are disposed. An array that is still empty, before the first step, stays so.
 *
 */
export function rearrangeSlots(optimizer: Optimizer, variables: readonly Variable[]): void {
  for (const field of SLOT_FIELDS) {
    const slots = slotsOf(optimizer, field)?.filter((slot) => slot !== undefined);
    if (slots === undefined || slots.length === 0) continue;
    const suffix = slots[0]!.originalName.slice(slots[0]!.originalName.lastIndexOf('/'));
    const byName = new Map(slots.map((slot) => [slot.originalName.slice(0, -suffix.length), slot]));
    const fill = initialValue(optimizer);
    const arranged = variables.map((variable): Slot => {
      const slot = byName.get(variable.name);
      byName.delete(variable.name);
      if (slot !== undefined && tf.util.arraysEqual(slot.variable.shape, variable.shape)) return slot;
      if (slot !== undefined) disposeVariable(slot.variable);
      return { originalName: variable.name + suffix, variable: filled(variable, fill) };
    });
    for (const vanished of byName.values()) disposeVariable(vanished.variable);
    (optimizer as unknown as Record<string, Slot[]>)[field] = arranged;
  }
}

/** What tfjs starts a slot with: zero, but for adagrad. */
const initialValue = (optimizer: Optimizer): number =>
  (optimizer as unknown as { initialAccumulatorValue?: number }).initialAccumulatorValue ?? 0;

const filled = ({ shape }: Variable, value: number): Variable =>
  tf.tidy(() => makeVariable(tf.fill(shape, value), false));
