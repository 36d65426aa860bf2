import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { scoped } from '../../engine/scope.ts';
import { type Site, siteOf } from '../host/site.ts';
import { transaction } from '../transaction.ts';
import { planRemoval } from './planRemoval.ts';

/** Options of {@link removeParametrizations}. */
export interface RemoveOptions {
  /** True if the new variable of the host holds the computed value (default), false if it holds the original. */
  readonly leaveParametrized?: boolean;
}

/**
 * Removes all parametrizations of a tensor. `host[name]` is a plain variable again, at its old position among the
 * fields.
 *
 * @remarks
 * **Ownership**: the variable belongs to the host. It is the variable from before the registration if an original has
 * the shape and dtype of the value, otherwise a new variable with the old name. The other originals are disposed, and
 * also the parametrization of a registration function such as `spectralNorm`. A parametrization that you registered
 * belongs to you. A borrowed value of the tensor ends. A tensor that is tied to another gets a variable of its own.
 * **State**: the value is the value of the last read. No power iteration is advanced, and random maps give their eval
 * value. The variable trains if it did at registration, also if the originals were frozen meanwhile.
 *
 * @param options - `leaveParametrized: false` keeps the original instead of the value; it needs a single original
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `OPTION`, also for `leaveParametrized: false` with several
 * originals, `DISPOSED`, `IMMUTABLE_HOST` if the host was frozen or sealed after the registration; and the errors of
 * parametrizations. Nothing changes then.
 * @see torch.nn.utils.parametrize.remove_parametrizations
 */
export function removeParametrizations<H extends object>(
  host: H,
  name: string,
  options: RemoveOptions = {},
): H {
  const caller = 'removeParametrizations';
  checkOptions(caller, options, ['leaveParametrized']);
  const { leaveParametrized = true } = options;
  checkBoolean(caller, 'leaveParametrized', leaveParametrized);
  removeAll(caller, [siteOf(host, name)], leaveParametrized);
  return host;
}

/**
 * Removes the parametrizations of several tensors of any hosts, all or none. Each chain is evaluated once, before any
 * is removed.
 *
 * @param caller - the public function, for messages
 * @param plan - plans the removal of one
 * @throws the errors of {@link planRemoval}; nothing changes then
 */
export function removeAll(
  caller: string,
  sites: readonly Site[],
  leaveParametrized = true,
  plan = planRemoval,
): void {
  scoped(caller, () => {
    const plans = sites.map((site) => plan(caller, site, leaveParametrized));
    transaction(
      () => {
        for (const commit of plans) commit();
      },
      // A single removal changes keys last.
      { keepsOrder: plans.length > 1 },
    );
  });
}
