import type { Optimizer, Tensor, Variable } from '@tensorflow/tfjs-core';
import { initialSlot } from './initialSlot.ts';
import { partsOf } from './optimizerParts.ts';
import type { Slot } from './optimizerSlots.ts';
import { disposeVariable, isVariable, makeVariable } from './variable.ts';

/** The fields of the optimizers of tfjs that hold their slots, by the class and by the name that tfjs gives a slot. */
const SLOT_FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  SGD: {},
  Momentum: { momentum: 'accumulations' },
  Adagrad: { accumulator: 'accumulatedGrads' },
  Adadelta: { accum_grad: 'accumulatedGrads', accum_var: 'accumulatedUpdates' },
  Adam: { m: 'accumulatedFirstMoment', v: 'accumulatedSecondMoment' },
  Adamax: { m: 'accumulatedFirstMoment', v: 'accumulatedWeightedInfNorm' },
  RMSProp: { rms: 'accumulatedMeanSquares', momentum: 'accumulatedMoments', mg: 'accumulatedMeanGrads' },
};

/** The variables in which Adam and Adamax count their steps. `getWeights` of tfjs leaves them out. */
const COUNTERS = ['accBeta1', 'accBeta2', 'iteration'] as const;

type Fields = Record<string, unknown>;

const fieldsOf = (optimizer: Optimizer): Fields => optimizer as unknown as Fields;

/** Returns the optimizers that hold state, below one that passes its gradients to others. */
export const statefulParts = (optimizer: Optimizer): Optimizer[] =>
  partsOf(optimizer)?.optimizers.flatMap(statefulParts) ?? [optimizer];

/**
 * Returns the names of the slots that an optimizer of tfjs keeps for each variable; undefined for another optimizer.
 * The mean gradients of RMSProp are there only if it is centered.
 */
export function slotNames(optimizer: Optimizer): string[] | undefined {
  const className = optimizer.getClassName();
  if (!Object.hasOwn(SLOT_FIELDS, className)) return undefined;
  const own = fieldsOf(optimizer);
  const fields = Object.entries(SLOT_FIELDS[className]!);
  if (!fields.every(([, field]) => Array.isArray(own[field]))) return undefined;
  return fields.flatMap(([name]) => (name === 'mg' && own['centered'] !== true ? [] : [name]));
}

const slotField = (optimizer: Optimizer, name: string): string =>
  SLOT_FIELDS[optimizer.getClassName()]![name]!;

/** Returns the variables of a slot, by the position of their owners. */
export const slotVariables = (optimizer: Optimizer, name: string): (Variable | undefined)[] =>
  (fieldsOf(optimizer)[slotField(optimizer, name)] as (Slot | undefined)[]).map((slot) => slot?.variable);

/** Returns the variables in which an optimizer counts its steps, by their names. */
export const countersOf = (optimizer: Optimizer): [name: string, variable: Variable][] =>
  COUNTERS.flatMap((name): [string, Variable][] => {
    const variable = fieldsOf(optimizer)[name];
    return isVariable(variable) ? [[name, variable]] : [];
  });

/** Returns the number of steps of an optimizer. */
export const iterationsOf = (optimizer: Optimizer): number =>
  (fieldsOf(optimizer)['iterations_'] as number | undefined) ?? 0;

/** Sets the number of steps of an optimizer and of those that it passes its gradients to. */
export function setIterations(optimizer: Optimizer, iterations: number): void {
  fieldsOf(optimizer)['iterations_'] = iterations;
  for (const part of partsOf(optimizer)?.optimizers ?? []) setIterations(part, iterations);
}

/**
 * Makes the variables that replace all slots of an optimizer.
 *
 * @param owners - the variables that the slots belong to
 * @param values - the values by the name of the slot, in the order of the owners
 * @returns puts them in place and disposes the old ones; it cannot fail
 */
export function planSlots(
  optimizer: Optimizer,
  owners: readonly Variable[],
  values: ReadonlyMap<string, readonly Tensor[]>,
): () => void {
  const names = Object.keys(SLOT_FIELDS[optimizer.getClassName()]!);
  const planned = names.map((name) => {
    const own = values.get(name);
    const slots = (own === undefined ? [] : owners).map(
      (owner, i): Slot => ({
        originalName: `${owner.name}/${name}`,
        variable: i < own!.length ? makeVariable(own![i]!, false) : initialSlot(optimizer, owner),
      }),
    );
    return { name, slots };
  });
  return () => {
    for (const { name, slots } of planned) {
      for (const variable of slotVariables(optimizer, name)) if (variable) disposeVariable(variable);
      fieldsOf(optimizer)[slotField(optimizer, name)] = slots;
    }
  };
}
