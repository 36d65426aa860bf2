import type { Optimizer, Variable } from '@tensorflow/tfjs-core';

/** An optimizer and the variables of its steps; null for all variables of the loss. */
export type Part = readonly [optimizer: Optimizer, variables: readonly Variable[] | null];

/** The optimizers that an optimizer passes its gradients to. */
export interface OptimizerParts {
  readonly optimizers: readonly Optimizer[];
  /**
   * Returns the parts of a step.
   *
   * @param variables - the variables of the step; null for all variables of the loss
   * @throws `NOT_SYNCED` if a variable is in no part
   */
  ofStep(variables: readonly Variable[] | null): readonly Part[];
  /**
   * Plans the parts for the changed model.
   *
   * @param variables - the variables of the next steps
   * @returns the parts of these steps, and a function that installs them, to be called in a transaction
   */
  renew(caller: string, variables: readonly Variable[]): { readonly parts: readonly Part[]; commit(): void };
}

/** The key of the parts of an optimizer that passes its gradients to others. */
export const PARTS: unique symbol = Symbol.for('tfjs-parametrize.optimizerParts') as never;

/**
 * Returns the parts of an optimizer that passes its gradients to others; undefined for an optimizer with its own state.
 */
export const partsOf = (optimizer: Optimizer): OptimizerParts | undefined =>
  (optimizer as { [PARTS]?: OptimizerParts } | null | undefined)?.[PARTS];

/** Returns the optimizers that hold the state of a step, each with its variables. */
export function leavesOf(optimizer: Optimizer, variables: readonly Variable[] | null): Part[] {
  const parts = partsOf(optimizer);
  if (parts === undefined) return [[optimizer, variables]];
  return parts.ofStep(variables).flatMap(([part, own]) => leavesOf(part, own));
}
