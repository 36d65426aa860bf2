import { disposeVariable, isVariable } from '../../engine/variable.ts';
import type { Copier } from '../../nn/module/copy.ts';
import { type ChainStep, chainStep } from './chainStep.ts';
import { declaredBy, markDeclared } from './declared.ts';
import { giveToChains, markOwned } from './registry.ts';

/** The step of a copied chain: modules and plain objects are copied with it, functions and other objects are shared. */
export function copyStep(step: ChainStep, copier: Copier): ChainStep {
  const registered: unknown = copier.copy(step.registered);
  if (registered === step.registered) return step;
  const copy = chainStep('clone', registered);
  if (copy.module !== null) return copy;
  const source = [...new Set([...step.dependencies, ...step.inherited])];
  const copied = { ...copy, inherited: source.filter((variable) => !copy.dependencies.includes(variable)) };
  const by = declaredBy(step);
  if (by !== null) markDeclared(copied, by);
  return copied;
}

/**
 * Gives the copies of parametrizations to the copied chain, but not what something else in the whole copy holds.
 *
 * @param isOwn - tells fields of the copy that show what is the chain's
 */
export function giveCopies(
  copier: Copier,
  steps: readonly ChainStep[],
  isOwn: (holder: object, key: unknown) => boolean,
): void {
  for (const { module, registered } of steps) {
    if (typeof registered !== 'object') continue;
    const { own, shared } = copier.partsOf(registered, isOwn);
    if (module !== null) {
      if (own.has(module)) markOwned(module, shared);
    } else {
      const variables = [...own].filter(isVariable);
      if (variables.length > 0) giveToChains(registered, () => variables.forEach(disposeVariable));
    }
  }
}
