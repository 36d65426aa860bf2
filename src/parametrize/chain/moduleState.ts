import { watchingAssignments } from '../../engine/assignments.ts';
import { scoped } from '../../engine/scope.ts';
import type { Module } from '../../nn/module/module.ts';

let inspections = 0;

/** True during a trial or an inspection. No read of any tensor may change state then. */
export const isInspecting = (): boolean => inspections > 0;

/**
 * Runs `fn`, then restores every variable that it assigned and the training mode of these modules, even if it throws.
 * So a trial does not advance a power iteration.
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
 * Does the same as {@link preservingState} only if `fn` throws, which undoes the writes of a right inverse (law L5).
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

/** Notes the training mode of modules. Returns a function that restores it. */
export function rememberModes(modules: readonly Module[]): () => void {
  const modes = modules.map((module) => module.training);
  return () => {
    for (const [i, module] of modules.entries()) {
      if (module.training !== modes[i]) module.training = modes[i]!;
    }
  };
}
