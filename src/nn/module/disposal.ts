import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { scoped } from '../../engine/scope.ts';
import { lookAt } from './fields.ts';
import { checkIntegrity } from './integrityCheck.ts';
import type { Module } from './module.ts';
import { rawOf } from './rawOf.ts';

const disposed = new WeakSet<Module>();

/** True after `module.dispose()`. */
export const isDisposed = (module: Module): boolean => disposed.has(rawOf(module));

/** One call of `dispose`, including the calls on modules below. */
interface Disposal {
  readonly root: Module;
  readonly visited: Set<Module>;
  readonly spared: ReadonlySet<object>;
}

let current: Disposal | null = null;

/**
 * Runs the disposal of a module, unless it is disposed, is being disposed by an outer call, or is spared.
 *
 * Below the module of the call, only modules with variables count as disposed. Modules without variables have lost
 * nothing, and another module may still use them.
 *
 * @param work - disposes everything below, and returns true if the module itself holds variables
 */
export function disposing(module: Module, work: (spared: ReadonlySet<object>) => boolean): void {
  if (disposed.has(module)) return;
  const outer = current;
  current ??= { root: module, visited: new Set(), spared: new Set() };
  const { root, visited, spared } = current;
  try {
    if (visited.has(module) || spared.has(module)) return;
    visited.add(module);
    if (work(spared) || root === module) disposed.add(module);
  } finally {
    current = outer;
  }
}

/** Disposes a module and all below, except these modules and variables, which another object holds. */
export function disposeBut(module: Module, spared: ReadonlySet<object>): void {
  const outer = current;
  current = { root: module, visited: new Set(), spared };
  try {
    module.dispose();
  } finally {
    current = outer;
  }
}

/** Runs the work of a call in a tidy, after checking that the module can be used. */
export function inCallOf<T>(module: Module, work: () => T): T {
  if (isDisposed(module)) {
    throw refusal(
      'DISPOSED',
      'call',
      `this ${typeName(module)} has been disposed`,
      'Make a new one, or dispose it later.',
    );
  }
  checkIntegrity(lookAt(module));
  // The name must not be the bare class name. tfjs looks up the gradient of a custom gradient by the name of its scope,
  // so in a scope 'Softmax' every custom gradient would be differentiated as a softmax.
  return scoped(`${typeName(module)}.call`, work);
}
