import { checkOptions } from '../../../core/checkOptions.ts';
import { refusal } from '../../../core/errors.ts';
import { typeName } from '../../../core/text.ts';
import { scoped } from '../../../engine/scope.ts';
import { transaction } from '../../transaction.ts';
import { checkKeep, type KeepOptions } from './keep.ts';
import { planReordering } from './planSteps.ts';
import { siteToEdit } from './siteToEdit.ts';
import { type Step, stepIndex } from './step.ts';

/**
 * Gives the steps of a chain another order.
 *
 * @remarks
 * **Shape**: kept.
 * **State**: with `keep: 'value'`, the value of the tensor goes back through the right inverses in the new order, so
 * that it stays, as far as they are exact. With `keep: 'originals'`, the originals stay, and the value changes. The
 * keys of the steps in the state dict have the new indices. If other originals are made, an optimizer of a module
 * needs {@link syncOptimizer}, a compiled model of tf.layers `syncModel`.
 * **Ownership**: as before.
 *
 * @param host - the module, layer or object; or a `ParametrizationList`, for the chain of an original
 * @param name - a parametrized tensor
 * @param order - every step of the chain once, in the new order; see {@link Step}
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`; `OPTION` if a step is missing, repeated, ambiguous or does not
 * exist; `RIGHT_INVERSE` for `keep: 'value'` if a step has no right inverse; the other errors of
 * {@link removeParametrization}. Nothing changes then.
 * @example
 * ```ts
 * reorderParametrizations(layer, 'weight', [1, 'spectralNorm']);
 * ```
 */
export function reorderParametrizations<H extends object>(
  host: H,
  name: string,
  order: readonly Step[],
  options: KeepOptions = {},
): H {
  const caller = 'reorderParametrizations';
  checkOptions(caller, options, ['keep']);
  const keep = checkKeep(caller, options);
  const { site, list } = siteToEdit(caller, host, name);
  if (!Array.isArray(order)) {
    throw refusal('OPTION', caller, `the order is ${typeName(order)}`, 'Pass an array of the steps: [1, 0].');
  }
  const indices = (order as readonly Step[]).map((step) => stepIndex(caller, list, step));
  scoped(caller, () => transaction(planReordering(caller, site, indices, keep)));
  return host;
}
