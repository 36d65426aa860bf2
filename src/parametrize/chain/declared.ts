import type { ChainStep } from './chainStep.ts';

const DECLARED: unique symbol = Symbol.for('tfjs-parametrize.declared') as never;

// A copy of a chain shares the steps of functions. `copyStep` marks the new steps of copied objects.
const declaredSteps = new WeakMap<ChainStep, string>();

/**
 * Notes that a step of a chain comes from a declaration. Copies of the chain keep the note.
 *
 * @param by - the field of the declaration: `Net.weight`
 */
export function markDeclared(step: ChainStep, by: string): void {
  if (step.module === null) declaredSteps.set(step, by);
  else Object.defineProperty(step.module, DECLARED, { value: by, configurable: true });
}

/** Returns the field where a step of a chain was declared, or null if a call registered it. */
export const declaredBy = (step: ChainStep): string | null =>
  step.module === null
    ? (declaredSteps.get(step) ?? null)
    : ((step.module as { [DECLARED]?: string })[DECLARED] ?? null);
