import type { Variable } from '@tensorflow/tfjs-core';
import type { ParametrizationList } from './parametrizationList.ts';

/**
 * The field of a host that holds a tensor. A chain can take it over and give it back.
 *
 * Neither {@link install} nor {@link uninstall} may throw. `HostKind.find` and {@link checkUninstall} find all errors
 * before.
 */
export interface Attachment {
  /**
   * Throws if {@link uninstall} would fail, because the host was frozen or sealed in the meantime.
   *
   * @throws `IMMUTABLE_HOST`
   */
  checkUninstall?(caller: string): void;
  /** Replaces the variable by the chain: reads of the host call `list.read()`, writes call `list.assign()`. */
  install(list: ParametrizationList): void;
  /**
   * Replaces the chain by a variable, with the old attributes, order and lists. Reports its inverse to the open
   * transaction.
   */
  uninstall(list: ParametrizationList, variable: Variable): void;
  /**
   * The reason why nothing can be appended to the chain, and the remedy; absent if appending works. In the message, the
   * fact follows the name of the tensor.
   */
  readonly closed?: { readonly fact: string; readonly remedy: string };
  /** True if the variables of the chain are fields of the host, under the names of torch's hook API. */
  readonly isHooked?: boolean;
  /** The fields of the host that show parts of the chain. */
  readonly fields?: readonly string[];
  /**
   * Called when the variables of the chain change: by a further parametrization, or a parametrization of an original.
   */
  changed?(list: ParametrizationList): void;
}
