import type { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { tieOf } from '../nn/module/normalizedTensor.ts';
import { announced, deleteRegistration, registrationsOf } from '../parametrize/chain/registry.ts';
import { type Site, siteOf } from '../parametrize/host/site.ts';
import type { Commit } from '../parametrize/transaction.ts';
import { planRemoval, retireList } from '../parametrize/verbs/planRemoval.ts';
import { removeAll } from '../parametrize/verbs/removeParametrizations.ts';
import { outerHostsOf } from '../stateDict/hostsOf.ts';
import { checkModel } from './checkModel.ts';

/**
 * Removes every parametrization of a model. Each tensor becomes a plain variable with the same value, so inference
 * costs nothing extra and the state dict has plain keys. A tensor that is tied to another one holds the same variable
 * afterwards; a transposed one, or one that is tied to a parametrized tensor outside of the model, holds a copy. A
 * second call does nothing.
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
  const sites = found.map(({ host, name }) => siteOf(host, name));
  const isTied = ({ registration }: Site): boolean => tieOf(registration!.list) !== undefined;
  // A tied tensor takes the variable of its source, which must be plain by then.
  const sourcesFirst = [...sites.filter((site) => !isTied(site)), ...sites.filter(isTied)];
  removeAll('fold', sourcesFirst, true, planFold);
  return found.map(({ path, name }) => joinPath(path, name));
}

/** Plans a removal after which a tied tensor has the variable of its source, if that is plain by then. */
function planFold(caller: string, site: Site, leaveParametrized: boolean): Commit {
  const remove = planRemoval(caller, site, leaveParametrized);
  const { list, attachment } = site.registration!;
  const tie = tieOf(list);
  if (tie === undefined) return remove;
  return () => {
    const variable = tie.variable();
    if (variable === null) {
      remove();
      return;
    }
    announced(site.owner, () => {
      deleteRegistration(site.owner, site.name);
      attachment.uninstall(list, variable);
      retireList(list);
    });
  };
}
