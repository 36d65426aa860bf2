import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import type { Catalog } from '../../stateDict/recipe.ts';
import { checkModel } from '../checkModel.ts';
import { candidatesOf } from '../select/candidate.ts';
import { carryOut } from './carryOut.ts';
import { planRules } from './plan.ts';
import type { ParametrizeReport } from './report.ts';
import type { Rule } from './rule.ts';

/** Options of {@link parametrize}. */
export interface ParametrizeOptions {
  /** True if nothing is to be changed: the report says what would be. Nothing is evaluated. Default false. */
  readonly dryRun?: boolean;
  /** The functions that rules name by a string. Default none. */
  readonly catalog?: Catalog;
}

/**
 * Registers parametrizations on a whole model by rules: which tensors, and what on them.
 *
 * All rules are tried, in order; their order is the order of the chain of a tensor. A tensor of a shared module is
 * registered once. A tensor that has the parametrization already stays as it is, so that a second call does nothing.
 * All registrations of a call happen, or none.
 *
 * @remarks
 * **Shape**: kept.
 * **State**: that of each registration. The optimizer of a compiled model of tf.layers is synced; for others, call
 * {@link syncOptimizer}.
 * **Ownership**: removal disposes what the functions of the catalog made.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds variables
 * @param rules - the rules; see {@link Rule}
 * @returns the report: what was registered, what was not and why, the recipe, and `undo()`
 * @throws {@link ParametrizeError} `UNMATCHED_RULE` if a rule, or a pattern, class or name of it, matches nothing;
 * `CONFLICT`, `PATTERN`, `OPTION`, `UNKNOWN_RECIPE`, `UNSUPPORTED_HOST`, `LIMIT`; the code of the first tensor that a
 * registration is refused for, with every such tensor in the message. Nothing has changed then.
 * @example
 * ```ts
 * const report = parametrize(generator, [
 *   { match: 'conv_pre', apply: null },
 *   { type: nn.ConvTranspose1d, apply: weightNorm, options: { dim: 1 } },
 *   { type: nn.Conv1d, exclude: '**.shortcut', apply: weightNorm },
 * ]);
 * console.log(String(report));
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: the elements of O are inferred one by one
export function parametrize<const O extends readonly any[]>(
  model: object,
  rules: { readonly [K in keyof O]: Rule<O[K]> },
  options: ParametrizeOptions = {},
): ParametrizeReport {
  const caller = 'parametrize';
  checkModel(caller, model);
  checkOptions(caller, options, ['dryRun', 'catalog']);
  const { dryRun = false, catalog = {} } = options;
  checkBoolean(caller, 'dryRun', dryRun);
  const plan = planRules(caller, () => candidatesOf(caller, model), rules as readonly Rule[], catalog);
  return carryOut(caller, model, plan, dryRun);
}
