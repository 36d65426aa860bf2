import { watchingAssignments } from '../../engine/assignments.ts';
import { scoped } from '../../engine/scope.ts';
import type { Module } from '../../nn/module/module.ts';

let inspections = 0;

/** True while something is tried or looked at: a read must move no state then, of whichever tensor. */
export const isInspecting = (): boolean => inspections > 0;

/**
 * Runs `fn`, then puts every variable that it assigned and the training mode of these modules back as they were, also
 * if it throws: a trial must not advance a power iteration, wherever that keeps its vectors.
 */
export function preservingState<T>(modules: readonly Module[], fn: () => T): T {
  return scoped('preservingState', () =>
    watchingAssignments((restore) => {
      const restoreModes = rememberModes(modules);
      inspections++;
      try {
        return fn();
      } finally {
        inspections--;
        restoreModes();
        restore();
      }
    }),
  );
}

/**
 * Like {@link preservingState}, but only if `fn` throws: what a right inverse has written on the way is undone (law
 * L5).
 */
export function restoringOnError<T>(modules: readonly Module[], fn: () => T): T {
  return scoped('restoringOnError', () =>
    watchingAssignments((restore) => {
      const restoreModes = rememberModes(modules);
      try {
        return fn();
      } catch (error) {
        restoreModes();
        restore();
        throw error;
      }
    }),
  );
}

/** Notes the training mode of modules; returns what puts it back. */
export function rememberModes(modules: readonly Module[]): () => void {
  const modes = modules.map((module) => module.training);
  return () => {
    for (const [i, module] of modules.entries()) {
      if (module.training !== modes[i]) module.training = modes[i]!;
    }
  };
}
