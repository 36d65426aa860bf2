import { refusal } from '../../core/errors.ts';
import { didYouMean, typeName } from '../../core/text.ts';
import { type Registration, registrationsOf } from '../chain/registry.ts';
import type { Site } from './site.ts';

/**
 * Returns the registration on a tensor.
 *
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`; as `HostKind.check`
 */
export function registrationAt(caller: string, { registration, kind, owner, name }: Site): Registration {
  if (registration !== undefined) return registration;
  kind.check(caller, owner);
  const known = [...registrationsOf(owner).keys()];
  throw refusal(
    'NOT_PARAMETRIZED',
    caller,
    `${typeName(owner)} has no parametrization on '${name}'`,
    `${didYouMean(name, known)} Parametrized: ${known.join(', ') || 'nothing'}.`,
  );
}
