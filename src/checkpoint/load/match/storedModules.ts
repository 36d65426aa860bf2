import { type HookKeys, knownHookKeys } from '../../../nn/stateDict/hookKeys.ts';
import { levelIn, withLevel } from '../../../nn/stateDict/recurrentLevel.ts';
import { type KeyParts, keysIn, legacyKey, modernKey } from '../../../nn/stateDict/stateKeys.ts';

/** The tensors of one module in a file. */
export interface StoredModule {
  /** The path. */
  readonly path: string;
  /** The level for a recurrent module, which has all its levels in one module. */
  readonly level: number | null;
  /** The keys, with their names in the file. */
  readonly keys: ReadonlyMap<string, string>;
  /** The shapes of the tensors by their plain names without the level, in any key format. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * Returns the modules of keys, in the order of the keys and by level. In a saved model of tf.layers, these are its
 * layers with everything below them.
 *
 * @param owners - the paths of these layers
 */
export function storedModules(
  keys: ReadonlyMap<string, string>,
  shapeOf: (name: string) => readonly number[],
  owners: ReadonlySet<string> = new Set(),
): StoredModule[] {
  const modules = new Map<
    string,
    StoredModule & { keys: Map<string, string>; shapes: Map<string, readonly number[]> }
  >();
  for (const [key, name] of keys) {
    const parts = modernKey(key) ?? oldParts(key, keys);
    const owner = ownerOf(parts.prefix, owners);
    const path = owner ?? parts.prefix.slice(0, -1);
    const level = owner === null ? levelIn(parts.name) : null;
    const id = JSON.stringify([path, level]);
    const module = modules.get(id) ?? { path, level, keys: new Map(), shapes: new Map() };
    modules.set(id, module);
    module.keys.set(key, name);
    if (!hasShape(parts, keys)) continue;
    const own = (parts.prefix + parts.name).slice(path === '' ? 0 : path.length + 1);
    module.shapes.set(owner === null ? withLevel(own, '') : own, shapeOf(name));
  }
  return [...modules.values()];
}

/** Returns the layer at or above a prefix, or null. */
function ownerOf(prefix: string, owners: ReadonlySet<string>): string | null {
  if (owners.size === 0) return null;
  for (let dot = prefix.length - 1; dot > 0; dot = prefix.lastIndexOf('.', dot - 1)) {
    if (owners.has(prefix.slice(0, dot))) return prefix.slice(0, dot);
  }
  return owners.has('') ? '' : null;
}

/** Splits a key. It counts as a part of a computed tensor only if the other parts exist. */
function oldParts(key: string, keys: ReadonlyMap<string, string>): KeyParts {
  const parts = legacyKey(key);
  if (parts.part === '' || formatsOf(parts, keys).length > 0) return parts;
  const dot = key.lastIndexOf('.') + 1;
  return { prefix: key.slice(0, dot), name: key.slice(dot), part: '' };
}

/** Returns the older names for which a tensor has all saved parts. */
const formatsOf = ({ prefix, name }: KeyParts, keys: ReadonlyMap<string, string>): HookKeys[] =>
  knownHookKeys().filter((hookKeys) =>
    keysIn(name, hookKeys, true)
      .slice(0, hookKeys.unsaved === undefined ? undefined : -1)
      .every((key) => keys.has(prefix + key)),
  );

/** True if a part has the shape of the tensor: the last original, or the plain tensor. */
function hasShape(parts: KeyParts, keys: ReadonlyMap<string, string>): boolean {
  const { prefix, name, part } = parts;
  if (part === '' || part === 'original') return true;
  const original = /^original(\d+)$/.exec(part);
  if (original !== null) {
    return !keys.has(`${prefix}parametrizations.${name}.original${Number(original[1]) + 1}`);
  }
  return formatsOf(parts, keys).some(({ suffixes, whole }) => suffixes[whole] === part);
}

/** Returns modules in the order that their names suggest: by numbers, else by names or in the order of the file. */
export const inLikelyOrder = (modules: readonly StoredModule[], isInOrder: boolean): StoredModule[] =>
  isInOrder
    ? [...modules]
    : [...modules].sort((a, b) => collator.compare(a.path, b.path) || (a.level ?? 0) - (b.level ?? 0));

const collator = new Intl.Collator('en', { numeric: true });
