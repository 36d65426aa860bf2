import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import { checkOptimizer, checkVariables, planState } from './optimizerState.ts';

/**
 * Gives an optimizer the state of these variables, after a registration, a removal or a fold, or when it is to train
 * others.
 *
 * tfjs keeps moments by *position* among the variables of a step. This function moves them with their variables: a
 * variable that stays keeps its state, a new one starts as on a first step, and the state of all others is freed.
 * Afterwards the order of the list of a step, and which of these variables are in it, make no difference, with and
 * without a list.
 *
 * @remarks
 * **State**: which variable a moment belongs to is noted when a step makes it. After `optimizer.setWeights` it goes by
 * the position in the first list that the optimizer gets: call `syncOptimizer` with the variables that the state was
 * saved for, before you register. If all variables have names that the caller gave them, it goes by names.
 *
 * **Ownership**: the optimizer keeps its state; `optimizer.dispose()` frees it.
 *
 * @param optimizer - any of the seven of tfjs: sgd, momentum, adagrad, adadelta, adam, adamax, rmsprop
 * @param variables - all variables that it trains; the variables of the optimizer itself are passed over
 * @throws {@link ParametrizeError} `OPTION` for an optimizer that keeps its state otherwise, a list that is not an
 * array of variables, or a variable that stands in it twice; `DISPOSED` for a variable that is gone; `NOT_SYNCED` if
 * `setWeights` has restored the state of a list that this one does not fit
 * @example
 * ```ts
 * weightNorm(model.hidden);
 * syncOptimizer(adam, model.parameters());
 * adam.minimize(loss, false, model.parameters());
 * ```
 */
export function syncOptimizer(optimizer: Optimizer, variables: readonly Variable[]): void {
  const caller = 'syncOptimizer';
  checkOptimizer(caller, optimizer);
  checkVariables(caller, variables);
  planState(caller, optimizer, variables, () => false)();
}
