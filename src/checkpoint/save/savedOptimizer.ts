import type { NamedTensorMap, Optimizer, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { notTheirs } from '../../engine/optimizerGuard.ts';
import { ownersOf, ownersOfRestored } from '../../engine/optimizerOwners.ts';
import { countersOf, iterationsOf, slotNames, slotVariables } from '../../engine/optimizerSnapshot.ts';
import { currentLeaves } from '../../model/optimizerLeaves.ts';
import { parametersOf } from '../../model/parametersOf.ts';
import { variablesByKey } from '../../model/variablesByKey.ts';
import { checkRestorable } from '../checkRestorable.ts';
import { optimizerKey, optimizerName } from '../metadata/optimizerNames.ts';
import { type OptimizerNote, optimizerText } from '../metadata/optimizerText.ts';

/** The state of an optimizer at one moment. */
export interface SavedOptimizer {
  /**
   * The slots and counters by their names in a file.
   *
   * @remarks
   * **Ownership**: the tensors belong to the caller.
   */
  readonly tensors: NamedTensorMap;
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Copies the state of an optimizer for the variables of a model, by their paths. State of other variables is left out.
 *
 * @throws {@link ParametrizeError} `OPTION` for an optimizer that is not part of tfjs; `NOT_SYNCED` if `setWeights` has
 * restored the state of other variables
 */
export function savedOptimizer(caller: string, model: object, optimizer: Optimizer): SavedOptimizer {
  checkRestorable(caller, optimizer);
  const keyOf = new Map<Variable, string>();
  for (const [key, variable] of variablesByKey(caller, model)) {
    if (!keyOf.has(variable)) keyOf.set(variable, key);
  }
  const { leaves } = currentLeaves(caller, optimizer, parametersOf(caller, model));
  const tensors: NamedTensorMap = {};
  const optimizers = leaves.map(([leaf, own], number): OptimizerNote => {
    const slots = slotNames(leaf)!.map((name) => [name, slotVariables(leaf, name)] as const);
    const places = ownersIn(caller, leaf, own!).flatMap((owner, place) => {
      const key = owner && keyOf.get(owner);
      return key !== undefined && slots.every(([, of]) => of[place]) ? [{ key, place }] : [];
    });
    const counters = countersOf(leaf);
    for (const [name, counter] of counters) tensors[optimizerName(number, name)] = tf.clone(counter);
    for (const [name, of] of slots) {
      for (const [i, { place }] of places.entries()) {
        tensors[optimizerName(number, name, i)] = tf.clone(of[place]!);
      }
    }
    return {
      className: leaf.getClassName(),
      config: leaf.getConfig(),
      counters: counters.map(([name]) => name),
      slots: slots.map(([name]) => name),
      keys: places.map(({ key }) => key),
    };
  });
  const texts = { [optimizerKey]: optimizerText({ iterations: iterationsOf(optimizer), optimizers }) };
  return { tensors, texts };
}

/** Returns the variables of the slots of an optimizer, by position. */
function ownersIn(
  caller: string,
  leaf: Optimizer,
  variables: readonly Variable[],
): readonly (Variable | undefined)[] {
  const known = ownersOf(leaf) ?? [];
  if (known !== 'restored') return known;
  const owners = ownersOfRestored(leaf, variables);
  if (owners === undefined) throw notTheirs(leaf, caller, variables.length);
  return owners;
}
