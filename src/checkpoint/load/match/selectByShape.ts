import type { StateView } from '../../../stateDict/stateView.ts';
import { prefixesOf, type Rename, renamer, type Selection, severalFit, withDot } from '../selectState.ts';
import type { StoredNames } from '../storedNames.ts';
import { checkMatching, doublesOf, layersBelow, placesFor } from './candidates.ts';
import { noMatch } from './matchErrors.ts';
import { keysOf, type Matching, matchSlots } from './matchSlots.ts';
import { misfit, type Slot } from './slots.ts';
import type { StoredModule } from './storedModules.ts';

/** The options of {@link selectParts}. */
export interface PartsOptions {
  readonly prefix: string | undefined;
  readonly rename: Rename | undefined;
  readonly strict: boolean;
}

/** The keys below one prefix, with their names in the file. */
interface Candidate {
  readonly prefix: string;
  readonly keys: ReadonlyMap<string, string>;
  readonly slots: readonly Slot[];
  /** The modules without those that have only tensors of other modules. */
  readonly modules: readonly StoredModule[];
  readonly all: readonly StoredModule[];
}

/**
 * Finds the state dict of a model of tf.layers by the names and shapes of tensors only, if its layers have no names
 * from the file.
 *
 * @throws {@link CheckpointError} `AMBIGUOUS`, `UNSUPPORTED`
 * @throws {@link StateDictError} if no part of the file has the modules of the model
 */
export function selectByShape(stored: StoredNames, state: StateView, options: PartsOptions): Selection {
  const candidates = candidatesOf(stored, state, options);
  const fitting = new Map<string, { candidate: Candidate; matching: Matching }>();
  for (const candidate of candidates) {
    const { prefix, keys, slots, modules, all } = candidate;
    const matchingOf = (some: readonly StoredModule[]): Matching | null =>
      matchSlots(slots, some, state.areOrdered, layersBelow(stored, prefix));
    // Modules that are tied in the file may be separate layers of the model.
    const matching = matchingOf(modules) ?? (all.length === modules.length ? null : matchingOf(all));
    const id = JSON.stringify([...new Set([...keys.values()].map(stored.identityOf))]);
    if (matching !== null && !fitting.has(id)) fitting.set(id, { candidate, matching });
  }
  const [found, other] = fitting.values();
  if (found === undefined) throw noCandidate(state, candidates);
  if (other !== undefined) {
    throw severalFit([...fitting.values()].map(({ candidate }) => candidate.prefix));
  }
  checkMatching(found.matching);
  const { prefix, keys } = found.candidate;
  const taken = new Set(keys.values());
  const loaded = new Map(keysOf(found.matching.matches));
  const names = new Set(loaded.values());
  const others = new Map([...keys].filter(([, name]) => !names.has(name)));
  return {
    prefix,
    keys: loaded,
    tied: doublesOf(others, loaded, stored),
    skipped: stored.names.filter((name) => !taken.has(name)),
  };
}

/** Returns the possible state dicts of a file, by their prefixes. Tied names count once. */
function candidatesOf(
  stored: StoredNames,
  { parts }: StateView,
  { prefix: asked, rename }: PartsOptions,
): Candidate[] {
  const renamed = renamer(rename);
  const all = new Map<string, Map<string, string>>([['', new Map()]]);
  for (const name of stored.names) {
    for (const prefix of asked === undefined ? prefixesOf(name) : [withDot(asked, stored.names)]) {
      const key = name.startsWith(prefix) ? renamed(name.slice(prefix.length)) : null;
      if (key === null) continue;
      const keys = all.get(prefix);
      if (keys === undefined) all.set(prefix, new Map([[key, name]]));
      else keys.set(key, name);
    }
  }
  return [...all]
    .sort(([a], [b]) => a.length - b.length)
    .map(([prefix, keys]) => {
      const { slots, modules } = placesFor(stored, parts, keys, prefix);
      return { prefix, keys, slots, modules: withoutDoubles(modules, stored), all: modules };
    });
}

/** Returns the modules without duplicates, which have only tensors of other modules. The module of a name is kept. */
function withoutDoubles(modules: readonly StoredModule[], { identityOf }: StoredNames): StoredModule[] {
  const seen = new Set<string>();
  const hasOwn = ({ keys }: StoredModule): boolean =>
    [...keys.values()].some((name) => identityOf(name) === name);
  const [own, others] = [modules.filter(hasOwn), modules.filter((module) => !hasOwn(module))];
  const kept = [...own, ...others].filter(({ keys }) => {
    const names = [...keys.values()].map((name) => identityOf(name));
    const isNew = names.length === 0 || names.some((name) => !seen.has(name));
    for (const name of names) seen.add(name);
    return isNew;
  });
  return modules.filter((module) => kept.includes(module));
}

/** Makes the error for a file without a fitting state dict. It describes the most similar candidate. */
function noCandidate(state: StateView, candidates: readonly Candidate[]): Error {
  const names = new Set(
    candidates[0]!.slots.flatMap(({ tensors }) => tensors.flatMap((tensor) => tensor.names)),
  );
  const { slots, modules, keys } = candidates.reduce((best, other) =>
    isLikelier(likeness(other, names), likeness(best, names)) ? other : best,
  );
  return noMatch(state, slots, modules, keys.keys());
}

/** Returns measures of the similarity of a candidate to a model, the most important one first. */
function likeness({ slots, modules }: Candidate, names: ReadonlySet<string>): number[] {
  const pairs = slots
    .slice(0, modules.length)
    .filter((slot) => modules.some((module) => misfit(slot, module) === null));
  const familiar = modules.filter(({ shapes }) => [...shapes.keys()].some((name) => names.has(name)));
  return [pairs.length, Number(modules.length === slots.length), familiar.length, -modules.length];
}

/**
 * True if a candidate is at least as likely as an earlier one. The later one has a longer prefix, and a common start of
 * all keys is not a part of their names.
 */
const isLikelier = (one: readonly number[], other: readonly number[]): boolean => {
  const at = one.findIndex((value, i) => value !== other[i]);
  return at < 0 || one[at]! > other[at]!;
};
