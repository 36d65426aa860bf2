import type { Tensor } from '@tensorflow/tfjs-core';
import { checkIntegrity } from '../../nn/module/integrityCheck.ts';
import type { ParametrizationList } from '../chain/parametrizationList.ts';
import { registrationsOf } from '../chain/registry.ts';
import { siteOf } from '../host/site.ts';

/**
 * Tells whether a tensor of a host is parametrized, or any of them if no name is given.
 *
 * @see torch.nn.utils.parametrize.is_parametrized
 */
export function isParametrized(host: object, name?: string): boolean {
  if (name !== undefined) return siteOf(host, name).registration !== undefined;
  checkIntegrity(host);
  return registrationsOf(host).size > 0;
}

/**
 * The class of a host. Registration never changes it here, unlike in torch, so it is also the class after.
 *
 * @see torch.nn.utils.parametrize.type_before_parametrizations
 */
export function typeBeforeParametrizations<H extends object>(host: H): abstract new (...args: never[]) => H {
  return host.constructor as abstract new (
    ...args: never[]
  ) => H;
}

/**
 * The chain on a tensor, for every kind of host: where `host.parametrizations[name]` is not to be had.
 *
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`
 */
export function parametrizationsOn(host: object, name: string): ParametrizationList {
  return siteOf(host, name).registered('parametrizationsOn').list;
}

/**
 * The value of a tensor of a host, parametrized or not, for every kind of host.
 *
 * @remarks
 * **Ownership**: as of a read of the property; of a tensor that is not parametrized, the host's variable.
 *
 * @throws {@link ParametrizeError} `UNKNOWN_TENSOR`, `NOT_A_VARIABLE`, `DISPOSED`
 */
export function valueOf(host: object, name: string): Tensor {
  const site = siteOf(host, name);
  return site.registration?.list.read() ?? site.find('valueOf').variable;
}
