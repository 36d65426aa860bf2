import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { alias } from '../engine/scope.ts';
import { namedState } from '../nn/module/fields.ts';
import { planAssignment } from '../parametrize/chain/assignment.ts';
import { preservingState } from '../parametrize/chain/moduleState.ts';
import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { normalizationAlike } from './normalizationAlike.ts';
import { variableOf } from './stateTensor.ts';
import type { ViewTensor } from './torchView.ts';

/**
 * Returns the values for the variables of a model that give it the value of its view. Writes nothing.
 *
 * @returns tensors of the innermost tidy
 * @throws {@link ParametrizeError} the errors of right inverses
 */
export function viewWrites({ tensor, module, mode, variables }: ViewTensor): [Variable, Tensor][] {
  const { host, name, path, layout, torchNames } = tensor;
  const list = registrationOf(host, name)?.list;
  if (mode === 'native') {
    const targets = new Map(list === undefined ? [['', variableOf(tensor)]] : namedState(list));
    return [...variables].map(([key, value]) => [targets.get(key)!, alias(value as Tensor)]);
  }
  if (mode === 'nativeValue') return stateFor(list!, variables.get('') as Tensor, `'${path}'`);
  const lists = torchNames.map((torchName) => registrationOf(module, torchName)?.list);
  if (mode === 'normalized') return normalizationAlike(host, name, layout!)!.planFrom(lists[0]!);
  const [first, ...more] = torchNames.map(
    (torchName, i) => lists[i]?.inspect() ?? (variables.get(torchName) as Tensor),
  );
  const sum = more.reduce((total, value) => tf.add(total, value), first!);
  const value = layout!.fromTorch(sum);
  return list === undefined ? [[variableOf(tensor), value]] : stateFor(list, value, `'${path}'`);
}

/** Returns the state with which a chain gives a value. The chain does not change. */
const stateFor = (list: ParametrizationList, value: Tensor, label: string): [Variable, Tensor][] =>
  preservingState(list.modules(), () => {
    const plan = new Map(planAssignment(label, list, value));
    // A right inverse may write buffers, which are a part of the state.
    return namedState(list).map(([, variable]) => [
      variable,
      plan.get(variable) ?? alias(variable as Tensor),
    ]);
  });

/** True if the model computes a tensor that is plain in the view. Its value has to go through the right inverse. */
export const goesThroughInverse = ({ tensor: { host, name }, mode }: ViewTensor): boolean =>
  ['plain', 'nativeValue'].includes(mode) && registrationOf(host, name) !== undefined;
