import { checkFunction } from '../core/checkFunction.ts';
import { settle } from '../core/settle.ts';
import { tieOf } from '../nn/module/normalizedTensor.ts';
import { planSkip } from '../parametrize/verbs/edit/planSkip.ts';
import { siteToEdit } from '../parametrize/verbs/edit/siteToEdit.ts';
import { type Step, stepIndices, stepText } from '../parametrize/verbs/edit/step.ts';
import { checkModel } from './checkModel.ts';
import { candidatesOf } from './select/candidate.ts';
import { checkSelector, unmatchedSelector } from './select/parameterSelector.ts';
import { select } from './select/select.ts';
import { type Selector, selectorKeys } from './select/selector.ts';

/** Steps of the chains of a model. Without a name, those of all tensors of a host. */
export interface StepSelector extends Selector {
  /** The step of each chain, or several of a class or kind. Chains without it are left out. Default all steps. */
  readonly step?: Step;
}

/**
 * Runs a function as if steps of chains were not there: the tensors have the values that the other steps give.
 *
 * Calls may nest, and asynchronous ones may overlap. A step is skipped until every call that skips it has ended.
 *
 * @remarks
 * **Shape**: kept. The rest of each chain is tried first.
 * **State**: nothing is written. State dict, parameters and lists stay as they are. Until the function has ended,
 * these chains can be neither assigned nor edited.
 * **Gradient**: through the other steps.
 * **Ownership**: the result belongs to the caller if it is the result of an op. The borrowed value of a pure chain,
 * read outside of every tidy, ends with the call; clone it.
 *
 * @param model - a module, a layer or model of tf.layers, an object that holds variables, or a `ParametrizationList`
 * for the chains of its originals
 * @param steps - the tensors, as for {@link freeze}, and the step
 * @param fn - the function; if it returns a promise, the steps are skipped until the promise settles
 * @returns what `fn` returns
 * @throws {@link ParametrizeError} `NOT_A_FUNCTION`, `UNSUPPORTED_HOST`, `PATTERN`; `UNMATCHED_RULE` if a condition
 * matches nothing or no chain has the step; `OPTION` for a step with several originals, which cannot be skipped;
 * `SHAPE` or `DTYPE` if the rest gives another tensor; `ALREADY_PARAMETRIZED` for a tensor of the hook API; and the
 * errors of `fn` and of parametrizations
 * @example
 * ```ts
 * const clean = without(model, { step: 'spectralNorm' }, () => model.call(x));
 * await without(layersModel, { match: 'head', step: -1 }, () => layersModel.fit(x, y));
 * ```
 */
export function without<T>(model: object, steps: StepSelector, fn: () => T): T {
  const caller = 'without';
  checkModel(caller, model);
  checkSelector(caller, steps, [...selectorKeys, 'step']);
  checkFunction(caller, fn, 'without(model, steps, async () => { … })');
  const { step, ...selector } = steps;
  const { selected, unmatched } = select(caller, candidatesOf(caller, model), selector, 'all');
  if (unmatched.length > 0) throw unmatchedSelector(caller, unmatched);
  const begins = selected.flatMap(({ host, tensor, list }) => {
    // The chain of a tied tensor is that of its source.
    const indices =
      list === null || tieOf(list) !== undefined
        ? []
        : step === undefined
          ? [...list.steps.keys()]
          : stepIndices(list, step);
    return indices.length === 0 ? [] : [planSkip(caller, siteToEdit(caller, host, tensor).site, indices)];
  });
  if (begins.length === 0) {
    const wanted = step === undefined ? 'is parametrized' : `has the step ${stepText(step)}`;
    throw unmatchedSelector(caller, [`no selected tensor ${wanted}`]);
  }
  const ends = begins.map((begin) => begin());
  return settle(fn, () => {
    for (const end of ends) end();
  });
}
