import type { Tensor } from '@tensorflow/tfjs-core';
import { checkIntegrity } from '../../nn/module/integrityCheck.ts';
import type { ParametrizationList } from '../chain/parametrizationList.ts';
import { registrationOf, registrationsOf } from '../chain/registry.ts';
import { addedHostKindOf, locate } from '../host/hostKind.ts';
import { registrationAt } from '../host/registrationAt.ts';
import { shownTensors } from '../host/shownTensors.ts';
import { siteOf } from '../host/site.ts';

/**
 * Returns true if a tensor of a host is parametrized; without a name, if any tensor is.
 *
 * @see torch.nn.utils.parametrize.is_parametrized
 */
export function isParametrized(host: object, name?: string): boolean {
  checkIntegrity(host);
  if (name === undefined) return registrationsOf(host).size > 0;
  // Not through a site, which knows every kind of host: a bundle with this function alone stays small.
  return registrationOf(...locate(addedHostKindOf(host), host, name)) !== undefined;
}

/**
 * Returns the class of a host. Unlike in torch, registration does not change the class.
 *
 * @see torch.nn.utils.parametrize.type_before_parametrizations
 */
export function typeBeforeParametrizations<H extends object>(host: H): abstract new (...args: never[]) => H {
  return host.constructor as abstract new (
    ...args: never[]
  ) => H;
}

/**
 * Returns the list of a tensor, for every kind of host, even if the host has no `parametrizations[name]`.
 *
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`
 */
export function parametrizationsOn(host: object, name: string): ParametrizationList {
  return registrationAt('parametrizationsOn', siteOf(host, name)).list;
}

/**
 * Returns the value of a tensor of a host, parametrized or not, for every kind of host.
 *
 * @remarks
 * **Ownership**: the same as with a read of the property. For a tensor that is not parametrized, the result is the
 * host's variable.
 *
 * @throws {@link ParametrizeError} `UNKNOWN_TENSOR`, `NOT_A_VARIABLE`, `DISPOSED`
 */
export function valueOf(host: object, name: string): Tensor {
  const site = siteOf(host, name);
  const value = site.registration?.list.read() ?? shownTensors(site.owner).get(site.name)?.tensor;
  return value ?? site.find('valueOf').variable;
}
