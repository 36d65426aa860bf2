import { checkBoolean, checkChoice, checkOptions } from '../../core/checkOptions.ts';
import { ParametrizeError } from '../../core/errors.ts';
import { didYouMean, typeName } from '../../core/text.ts';
import { definitionOf } from '../../parametrize/definition.ts';
import type { Catalog } from '../../stateDict/recipe.ts';
import type { Candidate } from '../select/candidate.ts';
import { type Selector, selectorKeys } from '../select/selector.ts';

/** A function that registers a parametrization: one of the catalog, or one of that form. */
export type Apply<O> = (host: never, name: never, options?: O) => unknown;

/**
 * A rule of {@link parametrize}: which tensors, and what is registered on them.
 *
 * A rule without a name takes the main weight of each host: `weight` of a module, `kernel` of a layer.
 */
export interface Rule<O = unknown> extends Selector {
  /** The function that registers, its name in the catalog, or null: later rules leave these tensors as they are. */
  readonly apply: Apply<O> | string | null;
  /** The options, or a function that makes them for a tensor. If it returns null, the tensor stays as it is. */
  readonly options?: NoInfer<O> | ((candidate: Candidate) => NoInfer<O> | null);
  /** True if the rule may match nothing. Default false. */
  readonly optional?: boolean;
  /** The way of a tensor that has a parametrization of the same kind with other options. Default `'error'`. */
  readonly onConflict?: 'error' | 'keep' | 'replace' | 'append';
}

/** A rule that was checked. */
export interface CheckedRule {
  readonly selector: Selector;
  /** The function that registers, or null. */
  readonly apply: Catalog[string] | null;
  /** The kind of what it registers: the name of the function. */
  readonly kind: string;
  readonly options: unknown;
  readonly isOptional: boolean;
  readonly onConflict: 'error' | 'keep' | 'replace' | 'append';
}

const conflictChoices = ['error', 'keep', 'replace', 'append'] as const;
const ruleKeys: readonly string[] = [...selectorKeys, 'apply', 'options', 'optional', 'onConflict'];

/**
 * Checks a rule, which may be data that somebody wrote.
 *
 * @param caller - for messages, with the number of the rule
 * @throws {@link ParametrizeError} `OPTION`, `UNKNOWN_RECIPE` for a name that the catalog has not
 */
export function checkedRule(caller: string, rule: Rule, catalog: Catalog): CheckedRule {
  checkOptions(caller, rule, ruleKeys);
  const { apply, options, optional = false, onConflict = 'error' } = rule;
  checkBoolean(caller, 'optional', optional);
  checkChoice(caller, 'onConflict', onConflict, conflictChoices);
  const selector = Object.fromEntries(
    selectorKeys.filter((key) => rule[key] !== undefined).map((key) => [key, rule[key]]),
  );
  return { selector, ...applied(caller, apply, catalog), options, isOptional: optional, onConflict };
}

function applied(
  caller: string,
  apply: unknown,
  catalog: Catalog,
): { apply: Catalog[string] | null; kind: string } {
  if (apply === null) return { apply: null, kind: '' };
  if (typeof apply === 'function') {
    return { apply: apply as Catalog[string], kind: definitionOf(apply)?.name ?? (apply.name || 'function') };
  }
  if (typeof apply !== 'string') {
    throw new ParametrizeError('OPTION', {
      caller,
      fact: `apply is ${typeName(apply)}`,
      remedy: "Pass a function of the catalog, the name of one, or null: weightNorm, 'weightNorm'.",
    });
  }
  const register: unknown = Object.hasOwn(catalog, apply) ? catalog[apply] : undefined;
  if (typeof register === 'function') return { apply: register as Catalog[string], kind: apply };
  const has = Object.keys(catalog);
  throw new ParametrizeError('UNKNOWN_RECIPE', {
    caller,
    fact: `the catalog has no '${apply}'; it has ${has.join(', ') || 'nothing'}`,
    remedy: didYouMean(apply, has).trim() || `Add a function of that name: { catalog: { ${apply} } }.`,
  });
}
