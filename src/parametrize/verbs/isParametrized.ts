import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { didYouMean, typeName } from '../../core/text.ts';
import { checkIntegrity } from '../../nn/module/integrityCheck.ts';
import type { ParametrizationList } from '../chain/parametrizationList.ts';
import { type Registration, registrationOf, registrationsOf } from '../chain/registry.ts';
import { locate } from '../host/hostKind.ts';
import { hostKindOf } from '../host/objectHost.ts';

/**
 * Tells whether a tensor of a host is parametrized, or any of them if no name is given.
 *
 * @see torch.nn.utils.parametrize.is_parametrized
 */
export function isParametrized(host: object, name?: string): boolean {
  checkIntegrity(host);
  return name === undefined
    ? registrationsOf(host).size > 0
    : registrationOf(...locate(host, name)) !== undefined;
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
  return registrationOrThrow('parametrizationsOn', host, name).list;
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
  checkIntegrity(host);
  const [owner, tensor] = locate(host, name);
  const registration = registrationOf(owner, tensor);
  return registration?.list.read() ?? hostKindOf(owner).find('valueOf', owner, tensor).variable;
}

/** The registration on a tensor, or a helpful error. */
export function registrationOrThrow(caller: string, host: object, name: string): Registration {
  checkIntegrity(host);
  const [owner, tensor] = locate(host, name);
  const registration = registrationOf(owner, tensor);
  if (registration !== undefined) return registration;
  hostKindOf(owner).check(caller, owner);
  const known = [...registrationsOf(owner).keys()];
  throw refusal(
    'NOT_PARAMETRIZED',
    caller,
    `${typeName(owner)} has no parametrization on '${tensor}'`,
    `${didYouMean(tensor, known)} Parametrized: ${known.join(', ') || 'nothing'}.`,
  );
}
