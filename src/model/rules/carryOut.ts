import { scoped } from '../../engine/scope.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';
import { addedHostKindOf } from '../../parametrize/host/hostKind.ts';
import { siteOf } from '../../parametrize/host/site.ts';
import { transaction } from '../../parametrize/transaction.ts';
import { planStepRemoval } from '../../parametrize/verbs/edit/planSteps.ts';
import { type AppliedStep, applyPlan } from './applyPlan.ts';
import type { Plan } from './plan.ts';
import { type ParametrizeReport, reportOf } from './report.ts';

/** Registers what a plan says, unless `dryRun`, and reports it. */
export function carryOut(caller: string, model: object, plan: Plan, dryRun: boolean): ParametrizeReport {
  if (dryRun) return reportOf(model, plan, null, () => {});
  const applied = applyPlan(caller, model, plan);
  return reportOf(model, plan, applied, () => undoSteps(model, applied));
}

/** Removes steps that were registered, the last first; those that are gone are skipped. */
export function undoSteps(model: object, applied: readonly AppliedStep[]): void {
  const caller = 'undo';
  transaction(() => {
    for (const { step, registered, list, changes } of [...applied].reverse()) {
      const { host, tensor } = step.candidate;
      for (const change of [...changes].reverse()) {
        if (registrationOf(host, tensor)?.list === list && [...list].includes(change.registered))
          change.takeBack();
      }
      for (const one of [...registered].reverse()) {
        if (registrationOf(host, tensor)?.list !== list) continue;
        const at = [...list].indexOf(one);
        if (at >= 0) scoped(caller, () => planStepRemoval(caller, siteOf(host, tensor), at)());
      }
    }
    addedHostKindOf(model)?.sync?.(caller, model);
  });
}
