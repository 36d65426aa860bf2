import type { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { siteOf } from '../parametrize/host/site.ts';
import { removeAll } from '../parametrize/verbs/removeParametrizations.ts';
import { outerHostsOf } from '../stateDict/hostsOf.ts';
import { checkModel } from './checkModel.ts';

/**
 * Removes every parametrization of a model. Each tensor becomes a plain variable with the same value, so inference
 * costs nothing extra and the state dict has plain keys. A second call does nothing.
 *
 * @remarks
 * **Ownership**: the same as with {@link removeParametrizations}. Call `syncOptimizer` before further training.
 *
 * @param model - a module, or an object that holds parametrized tensors
 * @returns the keys of the folded tensors: `encoder.0.weight`
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the model is not an object, `DISPOSED`, `IMMUTABLE_HOST`; and
 * the errors of a parametrization. Nothing has changed then.
 */
export function fold(model: object): string[] {
  checkModel('fold', model);
  const found = outerHostsOf(model).flatMap(([path, host]) =>
    [...registrationsOf(host).keys()].map((name) => ({ path, host, name })),
  );
  removeAll(
    'fold',
    found.map(({ host, name }) => siteOf(host, name)),
  );
  return found.map(({ path, name }) => joinPath(path, name));
}
