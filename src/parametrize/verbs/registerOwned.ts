import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { scoped } from '../../engine/scope.ts';
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

/** Makes a parametrization for a tensor of a host: from its current value, which is not to be disposed. */
export type MakeFor = (tensor: Tensor, site: Site) => Parametrization;

/** How a parametrization that is made is registered. */
export interface OwnedOptions {
  /** What defines it, if anything does. */
  readonly definition?: AnyDefinition | undefined;
  /** The options of the registration. */
  readonly options?: RegisterOptions;
  /** Where the chain goes, if not where the host puts it. */
  readonly attach?: AttachmentFactory;
}

/**
 * Registers what a catalog function makes, by default on the host's main weight; removal disposes it.
 *
 * @param caller - the catalog function, for messages
 * @param make - makes the parametrization for the tensor; reading the value advances no state
 * @returns the host
 */
export function registerOwned<H extends object>(
  caller: string,
  host: H,
  name: string | undefined,
  make: MakeFor,
  { definition, options, attach }: OwnedOptions = {},
): H {
  atSite(caller, host, name ?? MAIN, (site) => {
    // First of all: the value is computed, and the map made, before the registration.
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
 * Makes a parametrization that removal disposes, but for the parts that are older. Anything but a module is returned as
 * is.
 */
export function makeOwned<P extends ParametrizationLike>(make: () => P): P {
  const marker = tf.scalar(0);
  marker.dispose();
  const parametrization = make();
  if (isModule(parametrization) && !isOwned(parametrization))
    markOwned(parametrization, olderParts(parametrization, marker.id));
  return parametrization;
}

/**
 * The modules and variables in a module that are older than a tensor: the function that made the module was given them.
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
