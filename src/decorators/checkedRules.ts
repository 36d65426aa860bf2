import { checkOptions } from '../core/checkOptions.ts';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { checkedRule, type Rule } from '../model/rules/rule.ts';
import { conditionsOf } from '../model/select/conditions.ts';
import type { Catalog } from '../stateDict/recipe.ts';
import { copyValue } from './copyOptions.ts';
import type { DeclaredRules } from './declaredRules.ts';

const caller = '@parametrizedModule';

/**
 * Checks rules and copies them, so that a later change of an array or of options does not reach the class.
 *
 * @throws {@link ParametrizeError} `OPTION`, `PATTERN`, `UNKNOWN_RECIPE`
 */
export function checkedRules(options: unknown): DeclaredRules {
  if (typeof options !== 'object' || options === null) {
    throw refusal(
      'OPTION',
      caller,
      `expected a class or options, got ${typeName(options)}`,
      'Write @parametrizedModule, or @parametrizedModule({ rules: [{ type: nn.Linear, apply: weightNorm }] }).',
    );
  }
  checkOptions(caller, options, ['rules', 'catalog']);
  const { rules, catalog = {} } = options as { rules?: unknown; catalog?: Catalog };
  if (!Array.isArray(rules)) {
    throw refusal(
      'OPTION',
      caller,
      `the rules are ${typeName(rules)}`,
      'Pass an array of rules: { rules: [{ type: nn.Linear, apply: weightNorm }] }.',
    );
  }
  for (const [i, rule] of rules.entries()) {
    const named = `${caller}: rule ${i + 1}`;
    conditionsOf(named, checkedRule(named, rule as Rule, catalog).selector, 'main');
  }
  return { rules: copyValue(rules) as readonly Rule[], catalog: { ...catalog } };
}
