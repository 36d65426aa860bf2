import type { Tensor } from '@tensorflow/tfjs-core';
import { scoped } from '../engine/scope.ts';
import type { Place } from './host.ts';
import { hostKindOf } from './objectHost.ts';
import type { Parametrization } from './parametrization.ts';
import { checkHost, type RegisterOptions, register } from './register.ts';
import { markMade, registrationOf } from './registry.ts';

/** Makes a parametrization for a tensor: from its current value, which is not to be disposed. */
export type MakeFor = (tensor: Tensor, name: string) => Parametrization;

/**
 * Registers what a catalog function makes, by default on the host's main weight; removal disposes it.
 *
 * @param caller - the catalog function, for messages
 * @param make - the parametrization, or what makes it for the tensor; reading the value advances no state
 * @param place - where the chain goes, if not where the host puts it
 * @returns the host
 */
export function registerMade<H extends object>(
  caller: string,
  host: H,
  name: string | undefined,
  make: Parametrization | MakeFor,
  options?: RegisterOptions,
  place?: Place,
): H {
  let made = typeof make === 'function' ? undefined : make;
  try {
    checkHost(caller, host);
    const tensor = name ?? hostKindOf(host).mainTensor(host);
    made ??= scoped(caller, () => (make as MakeFor)(currentValue(caller, host, tensor), tensor));
    register(caller, host, tensor, markMade(made), options, place);
    return host;
  } catch (error) {
    made?.dispose();
    throw error;
  }
}

/** The value of a tensor, parametrized or not, without the side effects of a read. */
function currentValue(caller: string, host: object, name: string): Tensor {
  const registration = registrationOf(host, name);
  return registration?.list.chain.inspect() ?? hostKindOf(host).find(caller, host, name).variable;
}
