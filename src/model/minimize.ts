import type { Optimizer, Scalar } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../core/checkOptions.ts';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { transaction } from '../parametrize/transaction.ts';
import { checkOptimizer, planMissingState } from './optimizerState.ts';
import { parametersOf } from './parametersOf.ts';

/** Options of {@link minimize}. */
export interface MinimizeOptions {
  /** If true, `minimize` returns the loss before the step. Default false. */
  readonly returnCost?: boolean;
}

/**
 * Makes one step of an optimizer on the variables of a model, like `optimizer.minimize(loss, returnCost, variables)`.
 * New variables get initial state, so no call of `syncOptimizer` is needed after a registration, a removal or a fold.
 *
 * @remarks
 * **State**: a variable keeps its moments, a new variable starts as on a first step, and the moments of disposed
 * variables are freed. Moments of other live variables stay, so one optimizer may train several models in turn.
 *
 * **Gradient**: the gradient of the loss. A variable stays as it is if it is frozen or if the loss does not depend on
 * it.
 *
 * **Ownership**: the returned loss is the caller's.
 *
 * @param optimizer - one of the seven optimizers of tfjs
 * @param loss - computes the loss, a scalar
 * @param model - a module, a model of tf.layers, or an object that holds variables and parametrized tensors
 * @returns the loss if `returnCost` is true, else null
 * @throws {@link ParametrizeError} `OPTION` for an optimizer that is not part of tfjs, a loss that is not a function,
 * or unknown options; `UNSUPPORTED_HOST` or `DISPOSED` for the model; `NOT_SYNCED` if `optimizer.setWeights` has
 * restored the state of other variables. The optimizer does not change then, nor if the loss throws.
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
    transaction(giveState);
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
