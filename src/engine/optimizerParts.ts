import type { Optimizer, Variable } from '@tensorflow/tfjs-core';

/** An optimizer, and the variables of its steps; null for all that the loss reaches. */
export type Part = readonly [optimizer: Optimizer, variables: readonly Variable[] | null];

/** The other optimizers that an optimizer hands its gradients to. */
export interface OptimizerParts {
  readonly optimizers: readonly Optimizer[];
  /**
   * Returns the parts of a step.
   *
   * @param variables - the variables of the step; null for all that the loss reaches
   * @throws `NOT_SYNCED` if one of them is in no part
   */
  ofStep(variables: readonly Variable[] | null): readonly Part[];
  /**
   * Plans to look at the model anew.
   *
   * @param variables - the variables of the next steps
   * @returns the parts of these steps, and the function that puts them in the place of the present ones; it cannot fail
   */
  renew(caller: string, variables: readonly Variable[]): { readonly parts: readonly Part[]; commit(): void };
}

/** The field of an optimizer that hands its gradients to others. */
export const PARTS: unique symbol = Symbol.for('tfjs-parametrize.optimizerParts') as never;

/** The parts of an optimizer that hands its gradients to others; undefined for one that keeps state of its own. */
export const partsOf = (optimizer: Optimizer): OptimizerParts | undefined =>
  (optimizer as { [PARTS]?: OptimizerParts } | null | undefined)?.[PARTS];

/** The optimizers that keep the state of a step, each with its variables. */
export function leavesOf(optimizer: Optimizer, variables: readonly Variable[] | null): Part[] {
  const parts = partsOf(optimizer);
  if (parts === undefined) return [[optimizer, variables]];
  return parts.ofStep(variables).flatMap(([part, own]) => leavesOf(part, own));
}
