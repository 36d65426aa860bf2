import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { alias, scoped } from '../engine/scope.ts';
import { isAlive } from '../engine/variable.ts';
import { fieldsOf } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';

/**
 * Runs `fn`, then puts the values of every parameter and buffer and the training mode of these modules back as they were,
 * also if it throws: a trial must not advance a power iteration.
 */
export function preservingState<T>(modules: readonly Module[], fn: () => T): T {
  return scoped('preservingState', () => {
    const restore = remember(modules);
    try {
      return fn();
    } finally {
      restore();
    }
  });
}

/** Like {@link preservingState}, but only if `fn` throws: what a right inverse has written on the way is undone (law L5). */
export function restoringOnError<T>(modules: readonly Module[], fn: () => T): T {
  return scoped('restoringOnError', () => {
    const restore = remember(modules);
    try {
      return fn();
    } catch (error) {
      restore();
      throw error;
    }
  });
}

/** Notes the state of modules in tensors of the innermost tidy; the result puts it back. */
function remember(modules: readonly Module[]): () => void {
  const trainings = modules.map((module) => module.training);
  const values: [Variable, Tensor][] = modules
    .flatMap((module) => fieldsOf(module).variables)
    .filter(([, variable]) => isAlive(variable))
    .map(([, variable]) => [variable, alias(variable as Tensor)]);
  return () => {
    for (const [i, module] of modules.entries()) module.training = trainings[i]!;
    for (const [variable, value] of values) {
      if (variable.dataId !== value.dataId && isAlive(variable)) variable.assign(value);
    }
  };
}
