import type { ForeignPart, ForeignState } from '../../model/foreign/foreignModel.ts';
import { nativeKey } from '../../model/foreign/foreignTensor.ts';
import { keysIn, normalizationNames } from '../../nn/spelling/normalization.ts';

/** The parts that a key may be of, for every key under which a tensor of the model may stand in a file. */
export function partsByKey({ parts }: ForeignState): Map<string, ForeignPart> {
  const keys = new Map<string, ForeignPart>();
  for (const part of parts) for (const key of keysOfPart(part)) keys.set(key, part);
  return keys;
}

/** Every key under which a tensor of a model may stand in a file. */
export const keysOfParts = (state: ForeignState): ReadonlySet<string> => new Set(partsByKey(state).keys());

/** The ends of the names of chains that have no old names. */
const chainParts = ['original', 'original0', 'original1', '0._u', '0._v', '0.base'];

function keysOfPart({ path, tensors }: ForeignPart): string[] {
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
