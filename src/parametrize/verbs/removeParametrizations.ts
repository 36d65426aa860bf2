import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { scoped } from '../../engine/scope.ts';
import { type Site, siteOf } from '../host/site.ts';
import { transaction } from '../transaction.ts';
import { planRemoval } from './planRemoval.ts';

/** Options of {@link removeParametrizations}. */
export interface RemoveOptions {
  /** True if the variable that is put back holds the computed value (default), false if it holds the original. */
  readonly leaveParametrized?: boolean;
}

/**
 * Removes all parametrizations of a tensor: `host[name]` is a plain variable again, at its old place among the fields.
 *
 * @remarks
 * **Ownership**: the variable belongs to the host: the very one that was there before registration, wherever an
 * original of the value's shape and dtype exists, otherwise a new one of the old name. The other originals are
 * disposed, and so is what a registration function such as `spectralNorm` made; a parametrization that you passed in
 * stays yours. A borrowed value of the tensor ends.
 * **State**: the value is that of the last read; no power iteration is advanced, and random maps give their eval value.
 *
 * @param options - `leaveParametrized: false` puts the original back instead of the value; only with a single original
 * @returns the host
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `OPTION`, also for `leaveParametrized: false` with several
 * originals, `DISPOSED`, `IMMUTABLE_HOST` if the host was frozen or sealed after the registration; and whatever a
 * parametrization throws. Nothing has changed then.
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
 * Removes the parametrizations of several tensors, of whatever hosts, all or none: each chain is evaluated once, before
 * any is taken away.
 *
 * @param caller - the public function, for messages
 * @throws as {@link planRemoval}; nothing has changed then
 */
export function removeAll(caller: string, sites: readonly Site[], leaveParametrized = true): void {
  scoped(caller, () => {
    const plans = sites.map((site) => planRemoval(caller, site, leaveParametrized));
    transaction(() => {
      for (const commit of plans) commit();
    });
  });
}
