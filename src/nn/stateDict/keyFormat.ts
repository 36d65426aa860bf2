/**
 * The names that a state dict has for the parts of a normalized weight.
 *
 * - `modern`: `parametrizations.weight.original0`, … as torch 2 does.
 * - `legacy`: `weight_g` and `weight_v`, or `weight_orig`, `weight_u` and `weight_v`, as torch's old hooks do. What
 *   they do not know keeps its modern keys.
 * - `folded`: `weight`, its value, as of a model that was never parametrized.
 */
export type KeyFormat = 'modern' | 'legacy' | 'folded';

/** The key formats that exist. */
export const keyFormats: readonly KeyFormat[] = ['modern', 'legacy', 'folded'];

/** Options of {@link Module.stateDict}. */
export interface StateDictOptions {
  /** The names of normalized weights. Default: those of the module. */
  readonly keyFormat?: KeyFormat;
}
