import type { StateView } from '../../stateDict/stateView.ts';
import type { Selection } from './selectState.ts';

/** Finds the path of the model for the path of a layer in a file, or of something below it; null if no layer fits. */
export type OwnerPaths = (path: string) => string | null;

/**
 * Finds out which layer of a file became which layer of the model, by the tensors that were selected. The names of the
 * layers may differ, because tfjs generates them or because a renaming changes them.
 */
export function ownerPaths({ keys }: Selection, view: StateView): OwnerPaths {
  const owners = new Map<string, string>();
  for (const [key, name] of view.matching === 'names' ? [] : keys) {
    const owner = view.partOf(key)?.owner;
    if (owner === undefined || owner === '' || !key.startsWith(`${owner}.`)) continue;
    const below = key.slice(owner.length);
    if (name.endsWith(below)) owners.set(name.slice(0, -below.length), owner);
  }
  return (path) => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
      const owner = owners.get(path.slice(0, end));
      if (owner !== undefined) return owner + path.slice(end);
    }
    return null;
  };
}
