import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import { hasKnownSlots, rearrangeSlots } from '../engine/optimizerSlots.ts';
import { isVariable } from '../engine/variable.ts';
import { ParametrizeError, typeName } from '../errors.ts';

/**
 * Puts the state of an optimizer back with its variables after a registration, a removal or a fold.
 *
 * tfjs keeps moments by *position* among the variables that `minimize` is given. When the list changes, it silently
 * applies the moments of one variable to another. This function moves them by name: a variable that stays keeps its
 * state, a new one starts as on a first step, the state of a vanished one is freed.
 *
 * @remarks
 * **Ownership**: the optimizer keeps its state; `optimizer.dispose()` frees it.
 *
 * @param optimizer - any of the seven of tfjs: sgd, momentum, adagrad, adadelta, adam, adamax, rmsprop
 * @param variables - the list that every later `minimize` is given, in its order
 * @throws {@link ParametrizeError} `OPTION` for an optimizer that keeps its state otherwise, a list that is no array of
 * variables, or a variable that stands in it twice
 * @example
 * ```ts
 * weightNorm(model.hidden);
 * syncOptimizer(adam, model.parameters());
 * adam.minimize(loss, false, model.parameters());
 * ```
 */
export function syncOptimizer(optimizer: Optimizer, variables: readonly Variable[]): void {
  if (typeof optimizer?.applyGradients !== 'function' || !hasKnownSlots(optimizer)) {
    throw optionError(
      `${typeName(optimizer)} is none of the optimizers of tfjs, so its state cannot be moved. Make a new one`,
    );
  }
  if (!Array.isArray(variables) || !variables.every(isVariable)) {
    throw optionError('expected an array of variables, such as model.parameters()');
  }
  const seen = new Set<Variable>();
  for (const variable of variables) {
    if (seen.has(variable)) throw optionError(`the variable '${variable.name}' stands in the list twice`);
    seen.add(variable);
  }
  rearrangeSlots(optimizer, variables);
}

const optionError = (fact: string): ParametrizeError =>
  new ParametrizeError('OPTION', `syncOptimizer: ${fact}.`);
