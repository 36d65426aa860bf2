import type { Optimizer } from '@tensorflow/tfjs-core';
import { checkNotNegative } from '../../core/checkOptions.ts';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { isOptimizer, learningRateOf } from '../../engine/optimizerFields.ts';
import { checkModel } from '../checkModel.ts';
import { checkSelector, type ParameterSelector, parameterSelectorKeys } from '../select/parameterSelector.ts';
import { GroupedOptimizer, isGrouped } from './groupedOptimizer.ts';

/** Parameters, and the optimizer that trains them. */
export interface Group extends ParameterSelector {
  /** Trains the parameters; null leaves them as they are. Several groups may have the same one. */
  readonly optimizer: Optimizer | null;
  /** λ, decoupled: `w ← w − learningRate · λ · w` before the step, as AdamW. Default 0. */
  readonly weightDecay?: number;
}

/** The optimizer that {@link groupOptimizer} makes. */
export interface GroupOptimizer extends Optimizer {
  /** The keys of the parameters of each group. */
  readonly groups: readonly {
    /** In the order of the model. */
    readonly keys: readonly string[];
  }[];
  /**
   * Looks at the model anew, after registrations, removals or a fold: parameters that stay in their group keep their
   * state.
   *
   * @throws {@link ParametrizeError} as {@link groupOptimizer}; nothing has changed then
   */
  sync(): void;
  /** A table of the groups: parameters, elements, optimizer, learning rate, weight decay. */
  toString(): string;
}

/**
 * Makes one optimizer of several, each for a group of the parameters of a model. The first group that matches has the
 * parameter; a last group without conditions takes the rest.
 *
 * Decay of g is the decay of a weight-normalized weight, because ‖W‖² = Σ g². Decay of v changes no weight: give v a
 * group without.
 *
 * @remarks
 * **State**: each optimizer keeps that of its own parameters. `syncOptimizer`, `syncModel`, `minimize` of this package
 * and `sync` move it after changes; a step without them is refused. `getWeights` has the state of all, and `setWeights`
 * of an optimizer with the same groups takes it. A model of tf.layers cannot be saved with `includeOptimizer`, because
 * groups belong to a model.
 *
 * **Gradient**: one backward pass. Parameters of groups with `optimizer: null` need none.
 *
 * **Ownership**: the optimizers belong to the returned one, whose `dispose` disposes them.
 *
 * @param groups - selectors with optimizers; a host means all of its tensors
 * @throws {@link ParametrizeError} `UNGROUPED` if a parameter is in no group; `UNMATCHED_RULE` if a condition matches
 * nothing; `OPTION`, `PATTERN`, `UNSUPPORTED_HOST`
 * @example
 * ```ts
 * const optimizer = groupOptimizer(model, [
 *   { match: 'backbone.**', optimizer: tf.train.adam(1e-4) },
 *   { name: 'weight', original: 'g', optimizer: tf.train.adam(1e-3), weightDecay: 1e-2 },
 *   { optimizer: tf.train.adam(1e-3) },
 * ]);
 * console.log(String(optimizer));
 * optimizer.minimize(() => lossOf(model));
 * ```
 * @see torch.optim.AdamW and its parameter groups
 */
export function groupOptimizer(model: object, groups: readonly Group[]): GroupOptimizer {
  const caller = 'groupOptimizer';
  checkModel(caller, model);
  if (!Array.isArray(groups) || groups.length === 0) {
    throw refusal(
      'OPTION',
      caller,
      `the groups are ${Array.isArray(groups) ? 'empty' : typeName(groups)}`,
      'Pass an array: [{ match, optimizer }, { optimizer }].',
    );
  }
  for (const [i, group] of (groups as readonly Group[]).entries()) checkGroup(`${caller}: group ${i}`, group);
  return new GroupedOptimizer(model, [...groups]);
}

function checkGroup(caller: string, group: Group): void {
  checkSelector(caller, group, [...parameterSelectorKeys, 'optimizer', 'weightDecay']);
  const { optimizer, weightDecay = 0 } = group;
  if (optimizer !== null && (!isOptimizer(optimizer) || isGrouped(optimizer))) {
    throw refusal(
      'OPTION',
      caller,
      `the optimizer is ${isOptimizer(optimizer) ? 'one of groups itself' : typeName(optimizer)}`,
      'Pass one of tf.train, or null to leave the parameters as they are.',
    );
  }
  checkNotNegative(caller, 'weightDecay', weightDecay);
  if (weightDecay === 0) return;
  if (optimizer === null) {
    throw refusal(
      'OPTION',
      caller,
      `weightDecay is ${weightDecay}, but optimizer is null`,
      'Leave one of them out.',
    );
  }
  if (typeof learningRateOf(optimizer) === 'number') return;
  throw refusal(
    'OPTION',
    caller,
    `weightDecay is ${weightDecay}, but ${typeName(optimizer)} has no learningRate to multiply it with`,
    'Use an optimizer of tf.train.',
  );
}
