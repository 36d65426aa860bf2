/**
 * The names of the parts of a normalized weight in a state dict.
 *
 * - `modern`: `parametrizations.weight.original0`, … as in torch 2.
 * - `legacy`: `weight_g` and `weight_v`, or `weight_orig`, `weight_u` and `weight_v`, as in torch's old hooks. Other
 *   parametrizations keep their modern keys.
 * - `folded`: `weight` with its value, as in a model that was never parametrized.
 */
export type KeyFormat = 'modern' | 'legacy' | 'folded';

/** All key formats. */
export const keyFormats: readonly KeyFormat[] = ['modern', 'legacy', 'folded'];

/** Options of {@link Module.stateDict}. */
export interface StateDictOptions {
  /** The names of normalized weights. Default: the names of the module. */
  readonly keyFormat?: KeyFormat;
}
