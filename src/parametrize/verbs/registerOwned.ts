import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { scoped } from '../../engine/scope.ts';
import { disposingOnFailure } from '../../engine/variable.ts';
import { isModule, variablesIn } from '../../nn/module/fields.ts';
import type { Module } from '../../nn/module/module.ts';
import { disposeOwned, isOwned, markOwned } from '../chain/registry.ts';
import type { AnyDefinition } from '../definition.ts';
import type { AttachmentFactory } from '../host/hostKind.ts';
import { atSite, MAIN, type Site } from '../host/site.ts';
import type { Parametrization, ParametrizationLike } from '../parametrization.ts';
import { transaction, undoable } from '../transaction.ts';
import { checkRegistrationRoom } from './checkRegistrationRoom.ts';
import { type RegisterOptions, register } from './register.ts';

/** Makes a parametrization for a tensor of a host from its current value, which it must not dispose. */
export type MakeFor = (tensor: Tensor, site: Site) => Parametrization;

/** The options of {@link registerOwned}. */
export interface OwnedOptions {
  /** The definition of the parametrization, if it has one. */
  readonly definition?: AnyDefinition | undefined;
  /** Changes a parametrization that is there instead. Returns false if there is none. */
  readonly changes?: (site: Site) => boolean;
  /** The options of the registration. */
  readonly options?: RegisterOptions;
  /** Makes the attachment instead of the host. */
  readonly attach?: AttachmentFactory;
}

/**
 * Registers a parametrization that a catalog function makes, by default on the host's main weight. Removal disposes it.
 *
 * @param caller - the catalog function, for messages
 * @param make - makes the parametrization for the tensor; a read of the value advances no state
 * @returns the host
 */
export function registerOwned<H extends object>(
  caller: string,
  host: H,
  name: string | undefined,
  make: MakeFor,
  { definition, changes, options, attach }: OwnedOptions = {},
): H {
  atSite(caller, host, name ?? MAIN, (site) => {
    if (changes?.(site)) return;
    // The check comes first, because the value is computed and the map is made before the registration.
    checkRegistrationRoom(caller, site, definition);
    const parametrization = makeOwned(() => scoped(caller, () => make(site.inspect(caller), site)));
    transaction(() => {
      undoable(() => disposeOwned(parametrization));
      register(caller, site, parametrization, options, attach);
    });
  });
  return host;
}

/**
 * Makes a parametrization that removal disposes, without its older parts. A value that is not a module is returned
 * unchanged.
 */
export function makeOwned<P extends ParametrizationLike>(make: () => P): P {
  const marker = tf.scalar(0);
  marker.dispose();
  const parametrization = disposingOnFailure(make);
  if (isModule(parametrization) && !isOwned(parametrization))
    markOwned(parametrization, olderParts(parametrization, marker.id));
  return parametrization;
}

/**
 * Returns the modules and variables in a module that are older than a tensor. The function that made the module did not
 * make them.
 */
function olderParts(parametrization: Module, id: number): Set<object> {
  const older = new Set<object>();
  for (const module of parametrization.modules()) {
    const old = variablesIn(module).filter((variable) => variable.id < id);
    for (const variable of old) older.add(variable);
    if (old.length > 0 && module !== parametrization) older.add(module);
  }
  return older;
}
