import { typeName } from '../core/text.ts';
import { applyPlan } from '../model/rules/applyPlan.ts';
import { planRules } from '../model/rules/plan.ts';
import { candidatesOf } from '../model/select/candidate.ts';
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
      const plan = planRules(named, () => candidatesOf(named, host), rules, catalog);
      for (const { registered, list } of applyPlan(named, host, plan)) {
        for (const step of list.steps) if (registered.includes(step.registered)) markDeclared(step, by);
      }
    }
  });
}
