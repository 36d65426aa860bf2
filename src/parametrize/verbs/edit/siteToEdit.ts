import type { ParametrizationList } from '../../chain/parametrizationList.ts';
import { checkOpen } from '../../host/ownershipChecks.ts';
import { registrationAt } from '../../host/registrationAt.ts';
import { type Site, siteOf } from '../../host/site.ts';

/** A parametrized tensor whose chain can be edited. */
export interface SiteToEdit {
  readonly site: Site;
  readonly list: ParametrizationList;
}

/**
 * Resolves a parametrized tensor for an edit of its chain.
 *
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED`, `ALREADY_PARAMETRIZED` for a tensor of the hook API
 */
export function siteToEdit(caller: string, host: object, name: string): SiteToEdit {
  const site = siteOf(host, name);
  const { list } = registrationAt(caller, site);
  checkOpen(caller, list);
  return { site, list };
}
