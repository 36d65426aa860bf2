import type { Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { pluralize } from '../../core/text.ts';
import { parametersOf } from '../parametersOf.ts';
import { candidatesOf } from '../select/candidate.ts';
import { modelVariables } from '../select/modelVariables.ts';
import {
  type ParameterSelector,
  parameterSelectorKeys,
  selectParameters,
} from '../select/parameterSelector.ts';

/** One parameter of a group. */
export interface GroupedParameter {
  readonly key: string;
  readonly variable: Variable;
}

/**
 * Divides the parameters of a model into groups: each belongs to the first that matches.
 *
 * @throws {@link ParametrizeError} `UNGROUPED`, `UNMATCHED_RULE`, `OPTION`, `PATTERN`
 */
export function groupParameters(
  caller: string,
  model: object,
  groups: readonly ParameterSelector[],
): GroupedParameter[][] {
  const candidates = candidatesOf(caller, model);
  const all = candidates.flatMap(modelVariables).filter(({ isBuffer }) => !isBuffer);
  const taken = new Set<Variable>();
  const members = groups.map((group, i) => {
    const selector = Object.fromEntries(
      Object.entries(group).filter(
        ([key, value]) => parameterSelectorKeys.includes(key) && value !== undefined,
      ),
    ) as ParameterSelector;
    const isRest = Object.keys(selector).length === 0;
    const selected = isRest ? all : selectParameters(`${caller}: group ${i}`, candidates, selector);
    return selected.flatMap(({ key, variable }) => {
      if (taken.has(variable)) return [];
      taken.add(variable);
      return [{ key, variable }];
    });
  });
  const keyOf = new Map(all.map(({ variable, key }) => [variable, key]));
  const needed = [...all.map(({ variable }) => variable), ...parametersOf(caller, model)];
  const left = [...new Set(needed)].filter((variable) => !taken.has(variable));
  if (left.length === 0) return members;
  const shown = left.slice(0, 6).map((variable) => `'${keyOf.get(variable) ?? variable.name}'`);
  const rest = left.length > 6 ? ` and ${left.length - 6} more` : '';
  throw refusal(
    'UNGROUPED',
    caller,
    `${pluralize(left.length, 'parameter')} in no group: ${shown.join(', ')}${rest}`,
    'Add a last group without conditions, { optimizer }, with null for parameters that stay as they are.',
  );
}
