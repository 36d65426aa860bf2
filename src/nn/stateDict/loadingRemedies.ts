import type { Tensor } from '@tensorflow/tfjs-core';
import { type HookKeys, knownHookKeys } from './hookKeys.ts';
import { modernKey, partsOf } from './stateKeys.ts';

/** A key with different shapes in map and module. */
export interface ShapeMismatch {
  /** The key in the module, and the key in the map. */
  readonly key: string;
  readonly from: string;
}

/** The differences between a map and a module. */
export interface Misfit {
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
  readonly isStrict: boolean;
  readonly mismatches: readonly ShapeMismatch[];
  /** True if another problem exists; its remedies are in {@link remedies}. */
  readonly hasOthers: boolean;
  readonly remedies: readonly string[];
  /** The tensors that would be loaded. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** The number of keys of the module that the map has. */
  readonly found: number;
}

/** Returns the remedies for a map that does not fit. It lists only remedies that work. */
export function loadingRemedies(misfit: Misfit): string {
  const { missingKeys, unexpectedKeys, isStrict, mismatches, hasOthers, remedies, found } = misfit;
  const all = new Set(remedies);
  for (const { key, from } of mismatches) all.add(shapeRemedy(key, from, misfit.state));
  const isIncomplete = isStrict && (missingKeys.length > 0 || unexpectedKeys.length > 0);
  if (isIncomplete) {
    const prefix = commonPrefix(missingKeys, unexpectedKeys);
    const lost = unexpectedKeys.find((key) => modernKey(key) !== null);
    if (prefix !== null) all.add(`The keys of the map begin with '${prefix}': take it off.`);
    else if (lost !== undefined && missingKeys.length > 0) {
      const { prefix: path, name } = modernKey(lost)!;
      all.add(
        `'${path}${name}' is parametrized in the map: register the same parametrization first, load the file with a catalog, or save it with { keyFormat: 'folded' }.`,
      );
    } else if (found > 0 && mismatches.length === 0 && !hasOthers) {
      all.add('Pass { strict: false } to allow missing and unexpected keys.');
    } else if (found === 0) {
      all.add('The map has no key of the module: rename its keys, or load into the model that was saved.');
    }
  }
  return [...all].join(' ');
}

/**
 * Returns the remedy for a shape. The shapes of parts show the axes of a normalization; any other difference is another
 * layer.
 */
function shapeRemedy(key: string, from: string, state: ReadonlyMap<string, Tensor>): string {
  const own = modernKey(key);
  const hookKeys = own === null ? undefined : knownHookKeys().find(({ suffixes }) => own.part in suffixes);
  const dim = own === null || hookKeys === undefined ? null : dimIn(own.prefix, own.name, hookKeys, state);
  return dim === null
    ? `Make the module with the shapes of the map, or leave '${from}' out and pass { strict: false }.`
    : `'${own!.prefix}${own!.name}' is normalized along other axes in the map: register it with { dim: ${dim} }, or save the map with { keyFormat: 'folded' }.`;
}

/** Returns the option `dim` with which the parts in a map fit each other, or null. */
function dimIn(
  prefix: string,
  name: string,
  hookKeys: HookKeys,
  state: ReadonlyMap<string, Tensor>,
): string | null {
  const parts: Record<string, Tensor> = {};
  for (const part of partsOf(hookKeys)) {
    const tensor = state.get(`${prefix}parametrizations.${name}.${part}`);
    if (tensor === undefined) return null;
    parts[part] = tensor;
  }
  const axes = subsetsOf(parts[hookKeys.whole]!.rank).find((some) => hookKeys.fits(parts, some));
  if (axes === undefined) return null;
  return axes.length === 0 ? 'null' : axes.length === 1 ? `${axes[0]}` : `[${axes.join(', ')}]`;
}

/** Returns the sets of axes of a tensor, smaller sets first. */
const subsetsOf = (rank: number): number[][] =>
  [...Array(2 ** Math.min(rank, 6)).keys()]
    .map((bits) => [...Array(rank).keys()].filter((axis) => (bits >> axis) & 1))
    .sort((a, b) => a.length - b.length);

/** Returns the prefix without which the keys of a map would be the missing keys, or null. */
function commonPrefix(missing: readonly string[], unexpected: readonly string[]): string | null {
  const [first] = unexpected;
  if (first === undefined || missing.length === 0) return null;
  const end = missing.find((key) => first.endsWith(`.${key}`));
  if (end === undefined) return null;
  const prefix = first.slice(0, first.length - end.length);
  const wanted = new Set(missing.map((key) => prefix + key));
  return unexpected.every((key) => wanted.has(key)) ? prefix : null;
}
