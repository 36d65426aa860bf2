import { scoped } from '../../engine/scope.ts';
import { ParametrizeError, typeName } from '../../errors.ts';
import { checkUse } from '../useCheck.ts';
import { lookAt } from './fields.ts';
import type { Module } from './module.ts';

const disposed = new WeakSet<Module>();

/** True after `module.dispose()`. */
export const isDisposed = (module: Module): boolean => disposed.has(module);

/** Notes that a module has been disposed. */
export const markDisposed = (module: Module): void => void disposed.add(module);

/** Does the work of a call: in a tidy, for a module that can be used. */
export function inCallOf<T>(module: Module, work: () => T): T {
  if (isDisposed(module)) {
    throw new ParametrizeError(
      'DISPOSED',
      `call: this ${typeName(module)} has been disposed. Make a new one, or dispose it later.`,
    );
  }
  checkUse(lookAt(module));
  // Never the bare class name: tfjs gives a custom gradient the gradient of the kernel that the scope is named after, so
  // that in a scope 'Softmax' every custom gradient would be differentiated as a softmax.
  return scoped(`${typeName(module)}.call`, work);
}
