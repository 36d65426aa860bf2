import type { Tensor } from '@tensorflow/tfjs-core';
import { checkFunction } from '../../core/checkFunction.ts';
import { checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { scoped } from '../../engine/scope.ts';
import { carryOut } from '../../model/rules/carryOut.ts';
import type { ParametrizeReport } from '../../model/rules/report.ts';
import type { Candidate } from '../../model/select/candidate.ts';
import { type Selector, selectorKeys } from '../../model/select/selector.ts';
import { type PruneOptions, pruneOptions } from '../../parametrizations/masks/pruneOptions.ts';
import { checkOption } from '../../parametrize/definition.ts';
import { transaction } from '../../parametrize/transaction.ts';
import { globalMasks } from './globalMasks.ts';
import { pruningPlan, pruningTargets, selectorIn } from './pruningTargets.ts';

/**
 * Options of {@link pruneGlobally}: which tensors, and how many elements of all of them. One of `fraction`, `count` and
 * `sparsity` is given.
 */
export interface PruneGloballyOptions
  extends Selector,
    Pick<PruneOptions, 'fraction' | 'count' | 'sparsity' | 'method' | 'regrow'> {
  /**
   * Returns importance scores of a tensor, of its shape, or null for its values. Elements are hidden by the absolute
   * values of their scores.
   */
  readonly scores?: (candidate: Candidate) => Tensor | null | undefined;
}

const amounts = ['fraction', 'count', 'sparsity'] as const;

/**
 * Hides the smallest elements of several tensors together: one order of all elements, one number of hidden ones. So a
 * tensor with small values loses more than others.
 *
 * Tensors with a mask lose further elements, others get one; see {@link prune}. A selector without a name takes the
 * main weight of each host; `name: '*'` lets biases take part. All masks change, or none.
 *
 * @remarks
 * **State**: that of `prune`. A compiled model of tf.layers is synced.
 * **Ownership**: tensors that `scores` makes are disposed; others stay the caller's.
 *
 * No number is read. On webgl, `tf.topk` itself waits for the device.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds variables
 * @returns the report. Its `undo()` removes the masks that the call has registered; the values stay
 * @throws {@link ParametrizeError} `OPTION`, `PATTERN`, `UNSUPPORTED_HOST`; `UNMATCHED_RULE` if a condition matches
 * nothing; `DTYPE` for a tensor that is not float32; `SHAPE`, `DISPOSED` for scores. Nothing has changed then.
 * @example
 * ```ts
 * pruneGlobally(model, { type: nn.Linear, fraction: 0.8 });
 * pruneGlobally(model, { name: ['weight', 'bias'], sparsity: 0.5 });
 * ```
 * @see torch.nn.utils.prune.global_unstructured
 */
export function pruneGlobally(model: object, options: PruneGloballyOptions): ParametrizeReport {
  const caller = 'pruneGlobally';
  checkOptions(caller, options, [...selectorKeys, ...amounts, 'method', 'regrow', 'scores']);
  const { fraction, count, sparsity, method, regrow, scores } = options;
  for (const name of [...amounts, 'method', 'regrow'] as const) {
    if (options[name] !== undefined) checkOption(pruneOptions[name] as never, caller, name, options[name]);
  }
  const given = amounts.filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    throw refusal(
      'OPTION',
      caller,
      given.length === 0 ? 'no amount is given' : `${given.join(' and ')} are given`,
      `Pass one of ${amounts.join(', ')}.`,
    );
  }
  if (scores !== undefined) {
    checkFunction(caller, scores, 'scores: (candidate) => tensor');
    if (method === 'random') {
      throw refusal('OPTION', caller, "scores is given with method: 'random'", 'Leave one of them out.');
    }
  }
  const targets = pruningTargets(caller, model, selectorIn(options));
  return transaction(() => {
    let report: ParametrizeReport | undefined;
    scoped(caller, () => {
      const masks = globalMasks(caller, targets.targets, {
        fraction,
        count,
        sparsity,
        method,
        regrow,
        scores,
      });
      const planned = targets.targets.map(
        (candidate, i) => [candidate, { mask: masks[i]!, ...(regrow === true && { regrow }) }] as const,
      );
      report = carryOut(caller, model, pruningPlan(targets, planned), false);
    });
    return report!;
  });
}
