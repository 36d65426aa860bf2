import type { Optimizer, Scalar } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../core/checkOptions.ts';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { checkOptimizer, planMissingState } from './optimizerState.ts';
import { parametersOf } from './parametersOf.ts';

/** Options of {@link minimize}. */
export interface MinimizeOptions {
  /** Returns the loss before the step; it is the caller's. Default false. */
  readonly returnCost?: boolean;
}

/**
 * Makes one step of an optimizer on the variables of a model, as `optimizer.minimize(loss, returnCost, variables)`
 * does, and gives the optimizer state of variables that are new: no call of `syncOptimizer` is needed after a
 * registration, a removal or a fold.
 *
 * @remarks
 * **State**: a variable keeps its moments, a new one starts as on a first step, the moments of disposed ones are freed.
 * Moments of other living variables stay, so that one optimizer may train several models in turn.
 *
 * **Gradient**: that of the loss; a frozen variable, and one that the loss does not depend on, stays as it is.
 *
 * **Ownership**: the returned loss is the caller's.
 *
 * @param optimizer - any of the seven of tfjs
 * @param loss - computes the loss, a scalar
 * @param model - a module, a model of tf.layers, or an object that holds variables and parametrized tensors
 * @returns the loss with `returnCost`, else null
 * @throws {@link ParametrizeError} `OPTION` for an optimizer that tfjs did not make, a loss that is not a function, or
 * unknown options; `UNSUPPORTED_HOST` or `DISPOSED` for the model; `NOT_SYNCED` if `optimizer.setWeights` has restored
 * the state of other variables. The optimizer has not changed then, nor if the loss throws.
 * @example
 * ```ts
 * weightNorm(model.hidden);
 * const cost = minimize(adam, () => lossOf(model.call(x), y), model, { returnCost: true });
 * ```
 */
export function minimize(
  optimizer: Optimizer,
  loss: () => Scalar,
  model: object,
  options: MinimizeOptions & { readonly returnCost: true },
): Scalar;
export function minimize(
  optimizer: Optimizer,
  loss: () => Scalar,
  model: object,
  options?: MinimizeOptions & { readonly returnCost?: false },
): null;
export function minimize(
  optimizer: Optimizer,
  loss: () => Scalar,
  model: object,
  options?: MinimizeOptions,
): Scalar | null;
export function minimize(
  optimizer: Optimizer,
  loss: () => Scalar,
  model: object,
  options: MinimizeOptions = {},
): Scalar | null {
  const caller = 'minimize';
  checkOptimizer(caller, optimizer);
  checkOptions(caller, options, ['returnCost']);
  const { returnCost = false } = options;
  checkBoolean(caller, 'returnCost', returnCost);
  if (typeof loss !== 'function') {
    throw refusal('OPTION', caller, `the loss is ${typeName(loss)}, expected a function`);
  }
  const variables = parametersOf(caller, model);
  const giveState = planMissingState(caller, optimizer, variables);
  const { value, grads } = optimizer.computeGradients(loss, variables);
  try {
    giveState();
    optimizer.applyGradients(variables.map(({ name }) => ({ name, tensor: grads[name]! })));
  } catch (error) {
    value.dispose();
    throw error;
  } finally {
    tf.dispose(grads);
  }
  if (returnCost) return value;
  value.dispose();
  return null;
}
