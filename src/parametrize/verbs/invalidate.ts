import { registrationsOf } from '../chain/registry.ts';
import { registrationAt } from '../host/registrationAt.ts';
import { siteOf } from '../host/site.ts';
import { raiseVersion } from '../version.ts';

/**
 * Forgets the cached values of a tensor, or of all parametrized tensors of a host.
 *
 * Call it only after a change that cannot be detected: a write into the array of `variable.dataSync()`, or a change of
 * an object that a pure function has captured.
 *
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED` if the named tensor is not parametrized
 */
export function invalidate(host: object, name?: string): void {
  const lists =
    name === undefined
      ? [...registrationsOf(host).values()].map(({ list }) => list)
      : [registrationAt('invalidate', siteOf(host, name)).list];
  // Modules below are included, because an original may be computed and cached itself.
  for (const module of lists.flatMap((list) => list.modules())) raiseVersion(module);
}
