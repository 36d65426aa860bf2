import { keysIn, normalizationNames } from '../../../nn/stateDict/normalization.ts';
import type { ModelState, StatePart } from '../../../stateDict/modelState.ts';
import { nativeKey } from '../../../stateDict/stateTensor.ts';

/** The parts that a key may be of, for every key under which a tensor of the model may stand in a file. */
export function partsByKey({ parts }: ModelState): Map<string, StatePart> {
  const keys = new Map<string, StatePart>();
  for (const part of parts) for (const key of keysOfPart(part)) keys.set(key, part);
  return keys;
}

/** Every key under which a tensor of a model may stand in a file. */
export const keysOfParts = (state: ModelState): ReadonlySet<string> => new Set(partsByKey(state).keys());

/** The ends of the names of chains that have no old names. */
const chainParts = ['original', 'original0', 'original1', '0._u', '0._v', '0.base'];

function keysOfPart({ path, tensors }: StatePart): string[] {
  const prefix = path === '' ? '' : `${path}.`;
  return tensors.flatMap((tensor) => [
    tensor.path,
    ...chainParts.map((part) => nativeKey(tensor, part)),
    ...tensor.torchNames.flatMap((name) => [
      prefix + name,
      ...chainParts.map((part) => `${prefix}parametrizations.${name}.${part}`),
      ...normalizationNames.flatMap((normalization) =>
        [false, true].flatMap((isLegacy) => keysIn(name, normalization, isLegacy).map((key) => prefix + key)),
      ),
    ]),
  ]);
}
