import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import { type Part, partsOf } from '../engine/optimizerParts.ts';

/** The optimizers that hold the state of a model, each with its variables. */
export interface OptimizerLeaves {
  readonly leaves: readonly Part[];
  /** Makes the optimizers above them train the current variables of the model. It cannot fail. */
  commit(): void;
}

/**
 * Plans the variables of the optimizers that hold state, as the model is now. Groups are divided anew.
 *
 * @param variables - the variables of the optimizer, unless it has groups
 * @throws {@link ParametrizeError} the errors of `groupOptimizer`
 */
export function currentLeaves(
  caller: string,
  optimizer: Optimizer,
  variables: readonly Variable[],
): OptimizerLeaves {
  const parts = partsOf(optimizer);
  if (parts === undefined) return { leaves: [[optimizer, variables]], commit: () => {} };
  const renewed = parts.renew(caller, variables);
  const below = renewed.parts.map(([part, own]) => currentLeaves(caller, part, own!));
  return {
    leaves: below.flatMap(({ leaves }) => leaves),
    commit: () => {
      renewed.commit();
      for (const { commit } of below) commit();
    },
  };
}
