import type { StatePart } from '../../../stateDict/stateView.ts';
import type { StoredNames } from '../storedNames.ts';
import { ambiguous, refusal } from './matchErrors.ts';
import { type Matching, refuses } from './matchSlots.ts';
import { layerSlotsOf, type Slot, slotsOf } from './slots.ts';
import { inLikelyOrder, type StoredModule, storedModules } from './storedModules.ts';

/** Throws if a matching is not unique, or has a module that no layer can compute. */
export function checkMatching(matching: Matching): void {
  for (const { slot, module } of matching.matches) {
    const part = refuses(slot, module) ? slot.parts.find(({ refused }) => refused !== undefined) : undefined;
    if (part !== undefined) throw refusal(part, module.path);
  }
  if (matching.open.length > 0) throw ambiguous(matching);
}

/** Returns the slots of parts and the modules of keys. */
export function placesFor(
  stored: StoredNames,
  parts: readonly StatePart[],
  keys: ReadonlyMap<string, string>,
  prefix: string,
): { slots: Slot[]; modules: StoredModule[] } {
  const owners = new Set(layersBelow(stored, prefix).map(({ path }) => path));
  const isOfLayers = owners.size > 0 && prefix === '';
  const modules = storedModules(keys, (name) => stored.shapeOf(name), isOfLayers ? owners : new Set());
  return {
    slots: isOfLayers ? layerSlotsOf(parts) : slotsOf(parts),
    modules: inLikelyOrder(modules, stored.isInOrder),
  };
}

/** Returns the layers of a saved model of tf.layers, if the prefix is empty. */
export const layersBelow = ({ layers }: StoredNames, prefix: string): StoredNames['layers'] =>
  prefix === '' ? layers : [];

/** Returns the keys of tensors that other keys have loaded, with those keys. */
export function doublesOf(
  keys: ReadonlyMap<string, string>,
  loaded: ReadonlyMap<string, string>,
  { identityOf }: StoredNames,
): Map<string, string> {
  const keyOf = new Map([...loaded].map(([key, name]) => [identityOf(name), key]));
  return new Map(
    [...keys].flatMap(([key, name]): [string, string][] => {
      const other = keyOf.get(identityOf(name));
      return other === undefined || loaded.has(key) ? [] : [[key, other]];
    }),
  );
}
