import type { Tensor } from '@tensorflow/tfjs-core';
import { scoped } from '../engine/scope.ts';
import type { Place } from './host.ts';
import { hostKindOf } from './objectHost.ts';
import type { Parametrization } from './parametrization.ts';
import { checkHost, type RegisterOptions, register } from './register.ts';
import { markMade, registrationOf } from './registry.ts';
import { whenThere } from './whenThere.ts';

/** Makes a parametrization for a tensor of a host: from its current value, which is not to be disposed. */
export type MakeFor = (tensor: Tensor, name: string, host: object) => Parametrization;

/**
 * Registers what a catalog function makes, by default on the host's main weight; removal disposes it.
 *
 * @param caller - the catalog function, for messages
 * @param make - makes the parametrization for the tensor; reading the value advances no state
 * @param place - where the chain goes, if not where the host puts it
 * @returns the host
 */
export function registerMade<H extends object>(
  caller: string,
  host: H,
  name: string | undefined,
  make: MakeFor,
  options?: RegisterOptions,
  place?: Place,
): H {
  checkHost(caller, host);
  whenThere(caller, host, name ?? hostKindOf(host).mainTensor(host), (owner, tensor) => {
    const made = scoped(caller, () => make(currentValue(caller, owner, tensor), tensor, owner));
    try {
      register(caller, owner, tensor, markMade(made), options, place);
    } catch (error) {
      made.dispose();
      throw error;
    }
  });
  return host;
}

/** The value of a tensor, parametrized or not, without the side effects of a read. */
function currentValue(caller: string, host: object, name: string): Tensor {
  const registration = registrationOf(host, name);
  return registration?.list.chain.inspect() ?? hostKindOf(host).find(caller, host, name).variable;
}
