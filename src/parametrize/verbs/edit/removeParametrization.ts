import { checkOptions } from '../../../core/checkOptions.ts';
import { scoped } from '../../../engine/scope.ts';
import { transaction } from '../../transaction.ts';
import { checkKeep, type KeepOptions } from './keep.ts';
import { planStepRemoval } from './planSteps.ts';
import { siteToEdit } from './siteToEdit.ts';
import { type Step, stepIndex } from './step.ts';

/**
 * Removes one parametrization from the chain of a tensor. {@link removeParametrizations} removes all of them.
 *
 * @remarks
 * **Shape**: kept.
 * **State**: with `keep: 'value'`, the value of the tensor stays. The value after the first step becomes the original
 * of the rest; the value after a later step goes back through the right inverses of the steps before it. With
 * `keep: 'originals'`, the originals stay, and the value changes. The keys of later steps move:
 * `parametrizations.weight.1.…` becomes `parametrizations.weight.0.…`. Without its last step, a tensor is a plain
 * variable. If other originals are made, an optimizer of a module needs {@link syncOptimizer}, a compiled model of
 * tf.layers `syncModel`.
 * **Ownership**: the parametrization of a registration function such as `spectralNorm` is disposed. A parametrization
 * that you registered belongs to you.
 *
 * @param host - the module, layer or object; or a `ParametrizationList`, for the chain of an original
 * @param name - a parametrized tensor
 * @param step - an index, a registered parametrization, its class or its kind; see {@link Step}
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`; `OPTION` for a step that does not exist or is ambiguous, and for
 * `keep: 'originals'` of a step with several originals; `RIGHT_INVERSE` for `keep: 'value'` if an earlier step has no
 * right inverse; `SHAPE`, `DTYPE`, `FORWARD_RESULT`, `ALREADY_PARAMETRIZED` for a tensor of the hook API, `CONFLICT`
 * inside of {@link without}, `UNSUPPORTED_HOST`, `IMMUTABLE_HOST`, `DISPOSED`; and the errors of parametrizations.
 * Nothing changes then.
 * @example
 * ```ts
 * removeParametrization(layer, 'weight', SpectralNorm);
 * removeParametrization(layer, 'weight', -1, { keep: 'originals' });
 * ```
 */
export function removeParametrization<H extends object>(
  host: H,
  name: string,
  step: Step,
  options: KeepOptions = {},
): H {
  const caller = 'removeParametrization';
  checkOptions(caller, options, ['keep']);
  const keep = checkKeep(caller, options);
  const { site, list } = siteToEdit(caller, host, name);
  const index = stepIndex(caller, list, step);
  scoped(caller, () => transaction(planStepRemoval(caller, site, index, keep)));
  return host;
}
