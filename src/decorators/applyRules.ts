import { typeName } from '../core/text.ts';
import { applyPlan } from '../model/rules/applyPlan.ts';
import { planRules } from '../model/rules/plan.ts';
import { markDeclared } from '../parametrize/chain/declared.ts';
import { transaction } from '../parametrize/transaction.ts';
import { rulesDeclaredOn } from './declaredRules.ts';

/**
 * Registers what the class of an object and its parents declare by rules, all or nothing.
 *
 * @throws {@link ParametrizeError} the errors of `parametrize`
 */
export function applyRules(host: object): void {
  transaction(() => {
    for (const { rules, catalog, declaring } of rulesDeclaredOn(Object.getPrototypeOf(host) as object)) {
      const by = typeName(Object.create(declaring));
      const named = `@parametrizedModule ${by}`;
      for (const { registered, list } of applyPlan(named, host, planRules(named, host, rules, catalog))) {
        for (const step of list.steps) if (registered.includes(step.registered)) markDeclared(step, by);
      }
    }
  });
}
