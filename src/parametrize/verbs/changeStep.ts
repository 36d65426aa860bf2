import { guardSteps } from '../../engine/optimizerGuard.ts';
import { scoped } from '../../engine/scope.ts';
import { disposeVariable, disposingOnFailure } from '../../engine/variable.ts';
import { variablesIn } from '../../nn/module/fields.ts';
import type { Module } from '../../nn/module/module.ts';
import { announced } from '../chain/registry.ts';
import { checkOpen } from '../host/ownershipChecks.ts';
import type { Site } from '../host/site.ts';
import type { Parametrization } from '../parametrization.ts';
import { transaction, undoable } from '../transaction.ts';

/** A change of a registered parametrization, by a second call of its function. */
export interface StepChange {
  readonly registered: Parametrization;
  /** Takes the change back later, as long as the parametrization is registered. */
  takeBack(): void;
}

let watched: StepChange[] | null = null;

/** Runs a function that may call functions of the catalog. Returns its result and the changes that it has made. */
export function watchingChanges<T>(fn: () => T): {
  readonly result: T;
  readonly changes: readonly StepChange[];
} {
  const outer = watched;
  const changes: StepChange[] = [];
  watched = changes;
  try {
    return { result: fn(), changes };
  } finally {
    watched = outer;
    outer?.push(...changes);
  }
}

/**
 * Changes a registered parametrization, all or nothing: its fields and those of the modules below it, and the values of
 * its variables. The hosts of its chains notice new and removed variables.
 *
 * @param change - makes the change, and returns the function that takes it back later
 */
export function changeStep(
  caller: string,
  { registration }: Pick<Site, 'registration'>,
  registered: Parametrization,
  change: () => () => void,
): void {
  if (registration !== undefined) checkOpen(caller, registration.list);
  scoped(caller, () =>
    transaction(() => {
      const takeBack = changed(registered, change);
      watched?.push({
        registered,
        takeBack: () =>
          transaction(() => {
            changed(registered, () => {
              takeBack();
              return () => {};
            });
          }),
      });
    }),
  );
}

function changed(registered: Parametrization, change: () => () => void): () => void {
  let takeBack = (): void => {};
  announced(registered, () => {
    undoable(fieldsOf(registered.modules()));
    takeBack = disposingOnFailure(change);
    guardSteps(registered.parameters());
  });
  return takeBack;
}

/** Notes the fields of modules. Returns a function that restores them and disposes variables that came later. */
function fieldsOf(modules: readonly Module[]): () => void {
  const before = modules.map((module) => [module, Object.getOwnPropertyDescriptors(module)] as const);
  const variables = new Set(modules.flatMap(variablesIn));
  return () => {
    for (const [module, descriptors] of before) {
      for (const variable of variablesIn(module)) if (!variables.has(variable)) disposeVariable(variable);
      for (const key of Reflect.ownKeys(module)) {
        if (!Object.hasOwn(descriptors, key)) Reflect.deleteProperty(module, key);
      }
      Object.defineProperties(module, descriptors);
    }
  };
}
