import type { ChainStep } from './chainStep.ts';

const DECLARED: unique symbol = Symbol.for('tfjs-parametrize.declared') as never;

// A copy of a chain keeps the steps that are not modules, and makes new ones of copied modules with all their fields.
const declaredSteps = new WeakMap<ChainStep, string>();

/**
 * Notes that a step of a chain comes from a declaration; copies of the chain know it too.
 *
 * @param by - where it was declared: `Net.weight`
 */
export function markDeclared(step: ChainStep, by: string): void {
  if (step.module === null) declaredSteps.set(step, by);
  else Object.defineProperty(step.module, DECLARED, { value: by, configurable: true });
}

/** The place where a step of a chain was declared, or null if it was registered by a call. */
export const declaredBy = (step: ChainStep): string | null =>
  step.module === null
    ? (declaredSteps.get(step) ?? null)
    : ((step.module as { [DECLARED]?: string })[DECLARED] ?? null);
