import { disposeVariable, isVariable } from '../../engine/variable.ts';
import type { Copier } from '../../nn/module/copy.ts';
import type { ChainStep } from './chainStep.ts';
import { giveToChains, markOwned } from './registry.ts';

/**
 * Gives the copies of parametrizations to the copied chain, except for parts that another object in the whole copy
 * holds.
 *
 * @param isOwn - true for fields of the copy that show parts of the chain
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
