import {
  type KeyParts,
  keysIn,
  legacyKey,
  modernKey,
  normalizationNames,
} from '../../nn/spelling/normalization.ts';

/** The tensors of one module in a file. */
export interface StoredModule {
  /** Its path. */
  readonly path: string;
  /** Of a recurrent module, which has all its levels in one: the level. */
  readonly level: number | null;
  /** Its keys, with their names in the file. */
  readonly keys: ReadonlyMap<string, string>;
  /** The shapes of its tensors by their plain names, however they are spelled; without the level. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** The level in the name of a tensor of a recurrent module; null for any other. */
export function levelIn(name: string): number | null {
  const match = /^(?:weight|bias)_(?:ih|hh)_l(\d+)/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** A name with another level, or without. */
export const withLevel = (name: string, level: number | ''): string =>
  name.replace(/((?:weight|bias)_(?:ih|hh)_l)\d*/, `$1${level}`);

/** The modules that keys are of, in the order of the keys, and by level. */
export function storedModules(
  keys: ReadonlyMap<string, string>,
  shapeOf: (name: string) => readonly number[],
): StoredModule[] {
  const modules = new Map<
    string,
    StoredModule & { keys: Map<string, string>; shapes: Map<string, readonly number[]> }
  >();
  for (const [key, name] of keys) {
    const parts = modernKey(key) ?? oldParts(key, keys);
    const path = parts.prefix.slice(0, -1);
    const level = levelIn(parts.name);
    const id = JSON.stringify([path, level]);
    const module = modules.get(id) ?? { path, level, keys: new Map(), shapes: new Map() };
    modules.set(id, module);
    module.keys.set(key, name);
    if (hasShape(parts, keys)) module.shapes.set(withLevel(parts.name, ''), shapeOf(name));
  }
  return [...modules.values()];
}

/** A key taken apart, as a part of a normalized tensor only if its other parts are there. */
function oldParts(key: string, keys: ReadonlyMap<string, string>): KeyParts {
  const parts = legacyKey(key);
  const isWhole = normalizationNames.some((normalization) =>
    keysIn(parts.prefix + parts.name, normalization, true)
      .slice(0, 2)
      .every((other) => keys.has(other)),
  );
  if (parts.part === '' || isWhole) return parts;
  const dot = key.lastIndexOf('.') + 1;
  return { prefix: key.slice(0, dot), name: key.slice(dot), part: '' };
}

/** Whether a part has the shape of the tensor: the direction, the original, or the plain tensor. */
const hasShape = ({ prefix, name, part }: KeyParts, keys: ReadonlyMap<string, string>): boolean =>
  ['', 'original', 'original1', '_orig'].includes(part) || (part === '_v' && keys.has(`${prefix}${name}_g`));

/**
 * Modules in the order of the numbers in their names, where nothing but numbers tells them apart; null where names do.
 */
export function inOrderOfNumbers(modules: readonly StoredModule[]): StoredModule[] | null {
  const isTold = modules.every((a, i) => modules.slice(i + 1).every((b) => compare(a.path, b.path) !== null));
  if (!isTold) return null;
  return [...modules].sort((a, b) => compare(a.path, b.path)! || (a.level ?? 0) - (b.level ?? 0));
}

/** Which path is first by numbers; null if their first difference is none. */
function compare(a: string, b: string): number | null {
  const [first, second] = [a, b].map((path) => path.split('.')) as [string[], string[]];
  const at = first.findIndex((name, i) => name !== second[i]);
  // A module comes before those in it.
  if (at < 0 || second[at] === undefined) return first.length - second.length;
  const [one, other] = [first[at]!, second[at]!].map((name) => /^(.*?)(\d+)$/s.exec(name));
  if (one === null || other === null || one === undefined || other === undefined) return null;
  return one[1] === other[1] ? Number(one[2]) - Number(other[2]) : null;
}

/** Whether a vector stands for a tensor with the same channels, or for all of its elements. */
export const isBroadcast = (stored: readonly number[], shape: readonly number[]): boolean =>
  stored.length === 1 &&
  String(stored) !== String(shape) &&
  (stored[0] === 1 || (stored[0] === shape[0] && shape.length > 1));
