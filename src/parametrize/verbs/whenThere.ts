import { locate } from '../host/hostKind.ts';
import { hostKindOf } from '../host/objectHost.ts';
import { checkHost } from './register.ts';

/**
 * Registers on the object that has the tensor: now, or, where a host makes its tensors later, as soon as it has made it.
 *
 * @param path - the name of the tensor, or a path to it where the host knows paths
 * @param register - the registration
 * @throws what `register` throws, if it runs now
 */
export function whenThere(
  caller: string,
  host: object,
  path: string,
  register: (owner: object, name: string) => void,
): void {
  checkHost(caller, host);
  const [owner, name] = locate(host, path);
  if (hostKindOf(owner).postpone?.(caller, owner, name, () => register(owner, name)) === true) return;
  register(owner, name);
}
