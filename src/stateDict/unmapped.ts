import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { LoadStateDictReport } from '../nn/module/hooks.ts';
import type { KeyMapping } from '../nn/stateDict/keyMapping.ts';
import type { TiedKeys } from '../nn/stateDict/tiedKeys.ts';

/**
 * Returns the mappings of the tensors that were loaded under their own keys, which a report of `loadStateDict` omits.
 */
export function unmapped(
  tensors: NamedTensorMap,
  { mapped, unexpectedKeys }: LoadStateDictReport,
  ties: TiedKeys,
): KeyMapping[] {
  const others = new Set([...mapped.flatMap(({ from }) => from), ...unexpectedKeys]);
  return Object.keys(tensors)
    .filter((key) => !others.has(key))
    .map((key) => ({ from: [key], to: [ties.sourceOf(key)], actions: [] }));
}
