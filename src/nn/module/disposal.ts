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

/** One call of `dispose`, with all that it calls below. */
interface Disposal {
  readonly root: Module;
  readonly visited: Set<Module>;
  readonly spared: ReadonlySet<object>;
}

let current: Disposal | null = null;

/**
 * Runs the disposal of a module, unless it has been disposed, is being disposed further up, or is spared.
 *
 * Below the module that the caller named, only modules that hold variables count as disposed: the others have lost
 * nothing, and may be part of something that goes on.
 *
 * @param work - disposes everything below, and returns whether the module itself holds variables
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

/** Disposes a module and all below, but for these modules and variables, which something else holds. */
export function disposeBut(module: Module, spared: ReadonlySet<object>): void {
  const outer = current;
  current = { root: module, visited: new Set(), spared };
  try {
    module.dispose();
  } finally {
    current = outer;
  }
}

/** Does the work of a call: in a tidy, for a module that can be used. */
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
  // Never the bare class name: tfjs gives a custom gradient the gradient of the kernel that the scope is named after,
  // so that in a scope 'Softmax' every custom gradient would be differentiated as a softmax.
  return scoped(`${typeName(module)}.call`, work);
}
