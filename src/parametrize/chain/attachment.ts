import type { Variable } from '@tensorflow/tfjs-core';
import type { ParametrizationList } from './parametrizationList.ts';

/**
 * The field of one host that holds one tensor. A chain can take it and give it back.
 *
 * Neither {@link install} nor {@link uninstall} may throw: everything that can be wrong is found before: by
 * `HostKind.find` and {@link checkUninstall}.
 */
export interface Attachment {
  /**
   * Throws if {@link uninstall} cannot do its work, because the host was frozen or sealed in the meantime.
   *
   * @throws `IMMUTABLE_HOST`
   */
  checkUninstall?(caller: string): void;
  /** Puts the chain in the place of the variable: reads of the host go to `list.read()`, writes to its `assign`. */
  install(list: ParametrizationList): void;
  /**
   * Puts a variable in the place of the chain, as it was before: attributes, order, lists. Says its inverse to the open
   * transaction.
   */
  uninstall(list: ParametrizationList, variable: Variable): void;
  /**
   * The reason why nothing can be appended to the chain, and the remedy; absent if something can. The fact follows the
   * name of the tensor.
   */
  readonly closed?: { readonly fact: string; readonly remedy: string };
  /** True if the variables of the chain are fields of the host, under the names of torch's hook API. */
  readonly isHooked?: boolean;
  /** The fields of the host that show what is the chain's. */
  readonly fields?: readonly string[];
  /** Told when the chain has other variables than before: a further parametrization, or one of an original. */
  changed?(list: ParametrizationList): void;
}
