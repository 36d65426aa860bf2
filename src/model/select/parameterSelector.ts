import { checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { isVariable } from '../../engine/variable.ts';
import { type FoundCandidate, tensorPath, tiedPath } from './candidate.ts';
import { type ModelVariable, modelVariables } from './modelVariables.ts';
import { select } from './select.ts';
import { listOf, type OneOrMore, type Selector, selectorKeys } from './selector.ts';

/** The parameters of a model that fulfil every condition. Without a name, those of all tensors of a host. */
export interface ParameterSelector extends Selector {
  /**
   * Of parametrized tensors, these originals or parameters alone, by the names that their list has for them: `'g'`,
   * `'original0'`, `'lora_A'`. Tensors without such a name are left out.
   */
  readonly original?: OneOrMore<string>;
}

/** The keys of {@link ParameterSelector}. */
export const parameterSelectorKeys: readonly string[] = [...selectorKeys, 'original'];

/**
 * The parameters that a selector takes.
 *
 * @throws {@link ParametrizeError} `OPTION`, `PATTERN`, `UNMATCHED_RULE` if a condition matches nothing
 */
export function selectParameters(
  caller: string,
  candidates: readonly FoundCandidate[],
  { original, ...selector }: ParameterSelector,
): ModelVariable[] {
  const originals = original === undefined ? null : listOf(original);
  for (const name of originals ?? []) {
    if (typeof name === 'string') continue;
    throw refusal('OPTION', caller, `an original is ${typeName(name)}`, "Pass its name: 'g', 'original0'.");
  }
  const { selected, unmatched } = select(caller, candidates, selector, 'all');
  if (unmatched.length > 0) throw unmatchedSelector(caller, unmatched);
  const parameters = selected.flatMap(modelVariables).filter(({ isBuffer }) => !isBuffer);
  if (parameters.length === 0) checkTies(caller, candidates, selected);
  if (originals === null) return parameters;
  const unused = new Set(originals);
  const taken = parameters.filter((parameter) => {
    const names = originals.filter((name) => isNamed(parameter, name));
    for (const name of names) unused.delete(name);
    return names.length > 0;
  });
  if (unused.size === 0) return taken;
  const known = parameters.flatMap(({ name }) => (name === null ? [] : [name]));
  throw unmatchedSelector(
    caller,
    [...unused].map(
      (name) =>
        `original '${name}' is that of no tensor; the selected ones have ${[...new Set(known)].join(', ') || 'none'}`,
    ),
  );
}

/** Refuses a selection of tied tensors alone, which have no parameters. */
function checkTies(
  caller: string,
  candidates: readonly FoundCandidate[],
  selected: readonly FoundCandidate[],
): void {
  const facts = selected.flatMap((candidate) => {
    const source = tiedPath(candidates, candidate.list);
    return source === null
      ? []
      : [`'${tensorPath(candidate)}' has no parameters, it is tied to '${source}'. Select that`];
  });
  if (facts.length > 0) throw unmatchedSelector(caller, facts);
}

/** The error of a selector with conditions that match nothing. */
export const unmatchedSelector = (caller: string, facts: readonly string[]) =>
  refusal(
    'UNMATCHED_RULE',
    caller,
    facts.join('; '),
    'describe(model, { unparametrized: true }) lists the tensors.',
  );

/** True if the list of a parameter has this name for it: its key, parts of its key, or an alias. */
function isNamed({ candidate, name, variable }: ModelVariable, wanted: string): boolean {
  if (name === null) return false;
  if (`.${name}.`.includes(`.${wanted}.`)) return true;
  const own: unknown = Object.getOwnPropertyDescriptor(candidate.list!, wanted)?.get?.call(candidate.list);
  return isVariable(own) && own === variable;
}

/**
 * Refuses options of a selector that it does not have.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export const checkSelector = (caller: string, selector: object, known = parameterSelectorKeys): void =>
  checkOptions(caller, selector, known);
