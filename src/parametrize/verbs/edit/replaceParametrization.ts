import { checkBoolean, checkOptions } from '../../../core/checkOptions.ts';
import { scoped } from '../../../engine/scope.ts';
import type { ParametrizationLike } from '../../parametrization.ts';
import { transaction } from '../../transaction.ts';
import type { RegisterOptions } from '../register.ts';
import { checkKeep, type KeepOptions } from './keep.ts';
import { planReplacement } from './planSteps.ts';
import { siteToEdit } from './siteToEdit.ts';
import { type Step, stepIndex } from './step.ts';

/** Options of {@link replaceParametrization}. */
export interface ReplaceOptions extends KeepOptions, RegisterOptions {}

/**
 * Puts another parametrization in the place of a step of a chain.
 *
 * @remarks
 * **Shape**: kept, unless `unsafe`.
 * **State**: with `keep: 'value'`, the value after the step goes back through the right inverses of the new step and
 * of those before it. So the value of the tensor stays, as far as the right inverses are exact. A new step without a
 * right inverse maps the old value, so the value changes. With `keep: 'originals'`, the originals stay, and the value
 * changes. If other originals are made, an optimizer of a module needs {@link syncOptimizer}, a compiled model of
 * tf.layers `syncModel`.
 * **Ownership**: the old parametrization is disposed if a registration function such as `spectralNorm` made it. A
 * parametrization that you registered, and the new one, belong to you.
 *
 * @param host - the module, layer or object; or a `ParametrizationList`, for the chain of an original
 * @param name - a parametrized tensor
 * @param step - an index, a registered parametrization, its class or its kind; see {@link Step}
 * @param parametrization - as for {@link registerParametrization}
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`; `OPTION` for a step that does not exist or is ambiguous;
 * `RIGHT_INVERSE` for `keep: 'value'` if an earlier step has no right inverse; the other errors of
 * {@link insertParametrization}. Nothing changes then.
 * @example
 * ```ts
 * replaceParametrization(layer, 'weight', 'weightNorm', new WeightNorm({ dim: 1 }));
 * ```
 */
export function replaceParametrization<H extends object>(
  host: H,
  name: string,
  step: Step,
  parametrization: ParametrizationLike,
  options: ReplaceOptions = {},
): H {
  const caller = 'replaceParametrization';
  checkOptions(caller, options, ['keep', 'unsafe']);
  const keep = checkKeep(caller, options);
  const { unsafe = false } = options;
  checkBoolean(caller, 'unsafe', unsafe);
  const { site, list } = siteToEdit(caller, host, name);
  const index = stepIndex(caller, list, step);
  scoped(caller, () => transaction(planReplacement(caller, site, index, parametrization, keep, unsafe)));
  return host;
}
