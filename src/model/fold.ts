import type { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { removeAll } from '../parametrize/verbs/removeParametrizations.ts';
import { outerHostsOf } from '../stateDict/hostsOf.ts';
import { checkModel } from './checkModel.ts';

/**
 * Removes every parametrization of a model: each tensor becomes a plain variable that holds its value, so that
 * inference costs nothing extra and the state dict has plain keys. Doing it twice does nothing.
 *
 * @remarks
 * **Ownership**: as of {@link removeParametrizations}; after it, `syncOptimizer` before further training.
 *
 * @param model - a module, or an object that holds parametrized tensors
 * @returns the keys of the tensors that were folded: `encoder.0.weight`
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if it is not an object, `DISPOSED`, `IMMUTABLE_HOST`; and the
 * errors of a parametrization. Nothing has changed then.
 */
export function fold(model: object): string[] {
  checkModel('fold', model);
  const found = outerHostsOf(model).flatMap(([path, host]) =>
    [...registrationsOf(host).keys()].map((name) => ({ path, host, name })),
  );
  removeAll(
    'fold',
    found.map(({ host, name }) => [host, name] as const),
  );
  return found.map(({ path, name }) => joinPath(path, name));
}
