import { registrationsOf } from '../chain/registry.ts';
import { siteOf } from '../host/site.ts';
import { raiseVersion } from '../version.ts';

/**
 * Forgets the cached values of a tensor, or of all parametrized tensors of a host.
 *
 * Needed only after a change that cannot be seen: writing into the array of `variable.dataSync()`, or changing
 * something that a function which declared itself pure has captured.
 *
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED` if a name is given and nothing is registered there
 */
export function invalidate(host: object, name?: string): void {
  const lists =
    name === undefined
      ? [...registrationsOf(host).values()].map(({ list }) => list)
      : [siteOf(host, name).registered('invalidate').list];
  // All below, too: an original may be computed, and cached, itself.
  for (const module of lists.flatMap((list) => list.modules())) raiseVersion(module);
}
