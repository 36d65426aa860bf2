import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import { transaction } from '../parametrize/transaction.ts';
import { checkOptimizer, checkVariables, planState } from './optimizerState.ts';

/**
 * Moves the state of an optimizer to these variables. Call it after a registration, a removal or a fold, or before the
 * optimizer trains other variables.
 *
 * tfjs keeps moments by *position* among the variables of a step. This function moves them with their variables. A
 * variable that stays keeps its state, a new variable starts as on a first step, and the state of all other variables
 * is freed. Afterwards a step may list these variables in any order, list only some of them, or have no list.
 *
 * @remarks
 * **State**: the package notes the variable of each moment when a step makes it. After `optimizer.setWeights`, moments
 * go by their position in the first list that the optimizer gets. So call `syncOptimizer` with the variables that the
 * state was saved for before you register. If the caller has named all variables, moments go by names.
 *
 * **Ownership**: the optimizer keeps its state; `optimizer.dispose()` frees it.
 *
 * @param optimizer - one of the seven optimizers of tfjs: sgd, momentum, adagrad, adadelta, adam, adamax, rmsprop
 * @param variables - all variables that the optimizer trains; its own variables are ignored
 * @throws {@link ParametrizeError} `OPTION` for an optimizer that keeps its state in another way, a list that is not an
 * array of variables, or a variable that is listed twice; `DISPOSED` for a disposed variable; `NOT_SYNCED` if this list
 * does not fit the state that `setWeights` has restored
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
  transaction(planState(caller, optimizer, variables, () => false));
}
