import type { TiedKeys } from '../../nn/stateDict/tiedKeys.ts';
import { idOf, mergeTied } from '../../nn/stateDict/tiedKeys.ts';
import type { Rivals, Selection } from './selectState.ts';
import type { StoredNames } from './storedNames.ts';

/**
 * Merges the keys of tied tensors in a selection. In the model, the first key represents all keys. In the file, a name
 * that the model lacks may be another name of a tensor that the model has.
 *
 * @param isKnown - true if the model may have a key
 */
export function mergeSelected(
  selection: Selection,
  stored: StoredNames,
  ties: TiedKeys,
  isKnown: (key: string) => boolean,
): Selection {
  const keys = new Map(selection.keys);
  const { conflicts } = mergeTied(
    keys,
    ties,
    (one, other) => stored.identityOf(one) === stored.identityOf(other),
  );
  const rivals = conflicts.map(
    ([one, other]): Rivals => [selection.keys.get(one)!, selection.keys.get(other)!],
  );
  for (const { tensor, source, convert } of ties.converted) {
    const [key, first] = [idOf(tensor), ties.firstOf(idOf(source))];
    const [name, other] = [keys.get(key), keys.get(first)];
    if (name === undefined || other === undefined) continue;
    rivals.push([other, name, convert]);
    keys.delete(key);
  }
  const names = new Map<string, string>();
  for (const [key, name] of keys) {
    const one = stored.identityOf(name);
    if (!names.has(one) || (isKnown(key) && !isKnown(names.get(one)!))) names.set(one, key);
  }
  for (const [key, name] of keys) {
    if (!isKnown(key) && names.get(stored.identityOf(name)) !== key) keys.delete(key);
  }
  const tied = new Map(selection.tied);
  for (const [key, name] of selection.keys) {
    if (keys.has(key)) continue;
    const first = ties.sourceOf(key);
    const other = keys.has(first) ? first : names.get(stored.identityOf(name));
    if (other !== undefined) tied.set(key, other);
  }
  return { ...selection, keys, tied, rivals };
}

/** Returns groups of keys of the model and of the file that are one tensor. The first key of each group was loaded. */
export function tiesOf({ keys, tied = new Map() }: Selection, ties: TiedKeys): string[][] {
  const groups = new Map([...keys.keys()].map((key) => [key, [key, ...ties.othersOf(key)]]));
  for (const [key, first] of tied) {
    const group = groups.get(first);
    if (group !== undefined && !group.includes(key)) group.push(key);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}
