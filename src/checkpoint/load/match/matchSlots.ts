import { withLevel } from '../../../nn/stateDict/recurrentLevel.ts';
import type { StateView } from '../../../stateDict/stateView.ts';
import type { LayerInOrder } from '../../metadata/layerOrder.ts';
import { assign } from './assignment.ts';
import { isExactly, keyFor, misfit, type Slot } from './slots.ts';
import type { StoredModule } from './storedModules.ts';

/** A slot of a model and its module in a file. */
export interface Match {
  readonly slot: Slot;
  readonly module: StoredModule;
}

/** A matching of modules to slots. */
export interface Matching {
  /** The pairs, in the order of the slots. */
  readonly matches: readonly Match[];
  /** Groups of pairs for which other matchings fit, too. */
  readonly open: readonly (readonly Match[])[];
}

/**
 * Matches modules to slots by the names and shapes of their tensors. The order of modules is ignored, because a class
 * of torch may compute with its fields in any order. It counts only where it is the order of computing: for the levels
 * of one recurrent module, and for the layers of a saved model of tf.layers.
 *
 * @param modules - the modules, as many as slots, in their likely order
 * @param layers - the layers in the file
 * @returns null if the modules do not fit
 */
export function matchSlots(
  slots: readonly Slot[],
  modules: readonly StoredModule[],
  areOrdered: StateView['areOrdered'],
  layers: readonly LayerInOrder[],
): Matching | null {
  if (slots.length !== modules.length) return null;
  const signatures = modules.map(signatureOf);
  const fits = (test: (slot: Slot, module: StoredModule) => boolean) => {
    const answers = slots.map(() => new Map<string, boolean>());
    return (place: number, item: number): boolean => {
      const known = answers[place]!.get(signatures[item]!);
      if (known !== undefined) return known;
      const answer = test(slots[place]!, modules[item]!);
      answers[place]!.set(signatures[item]!, answer);
      return answer;
    };
  };
  const possible = fits((slot, module) => refuses(slot, module) || misfit(slot, module) === null);
  const exact = assign(
    slots.length,
    fits((slot, module) => refuses(slot, module) || isExactly(slot, module)),
  );
  const found = exact ?? assign(slots.length, possible);
  if (found === null) return null;
  const itemOf = inOrder(found.itemOf, signatures);
  // A model with other tensors has another order.
  const known = exact === null ? [] : layers;
  const ranks = new Map(known.map(({ path, isOrdered }, i) => [path, isOrdered ? i : null]));
  const open: number[][] = [];
  for (const group of found.exchangeable) {
    const items = group.map((place) => itemOf[place]!);
    const sorted = ordered(
      items.map((item) => modules[item]!),
      ranks,
    );
    const isTold =
      sorted !== null &&
      areAllOrdered(
        group.map((place) => slots[place]!),
        areOrdered,
      ) &&
      sorted.every((module, i) => possible(group[i]!, modules.indexOf(module)));
    if (!isTold) open.push([...group]);
    else for (const [i, module] of sorted.entries()) itemOf[group[i]!] = modules.indexOf(module);
  }
  const matches = slots.map((slot, place): Match => ({ slot, module: modules[itemOf[place]!]! }));
  return { matches, open: open.map((group) => group.map((place) => matches[place]!)) };
}

/** True if a slot looks like a module but cannot compute the same. */
export const refuses = ({ parts }: Slot, { shapes }: StoredModule): boolean =>
  parts.some(
    ({ refused }) =>
      refused !== undefined && [...shapes.keys()].some((name) => refused.names.test(withLevel(name, 0))),
  );

const signatureOf = ({ shapes }: StoredModule): string =>
  JSON.stringify([...shapes].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Puts modules with equal tensors in order, so that the printed pairs are most likely right. */
function inOrder(itemOf: readonly number[], signatures: readonly string[]): number[] {
  const groups = new Map<string, number[]>();
  for (const [place, item] of itemOf.entries()) {
    const signature = signatures[item]!;
    groups.set(signature, [...(groups.get(signature) ?? []), place]);
  }
  const sorted = [...itemOf];
  for (const places of groups.values()) {
    const items = places.map((place) => itemOf[place]!).sort((a, b) => a - b);
    for (const [i, place] of places.entries()) sorted[place] = items[i]!;
  }
  return sorted;
}

/** Returns modules in their order of computing, or null if it is unknown. */
function ordered(
  modules: readonly StoredModule[],
  ranks: ReadonlyMap<string, number | null>,
): StoredModule[] | null {
  const isOne = modules.every(({ path, level }) => level !== null && path === modules[0]!.path);
  if (isOne) return [...modules].sort((a, b) => a.level! - b.level!);
  const rankOf = ({ path }: StoredModule): number | null => ranks.get(path) ?? null;
  if (modules.some((module) => rankOf(module) === null)) return null;
  return [...modules].sort((a, b) => rankOf(a)! - rankOf(b)!);
}

const areAllOrdered = (slots: readonly Slot[], areOrdered: StateView['areOrdered']): boolean =>
  slots.every((a, i) => slots.slice(i + 1).every((b) => areOrdered(a.parts[0]!, b.parts[0]!)));

/** Returns the keys of matched modules in the model, with their names in the file. */
export const keysOf = (matches: readonly Match[]): [key: string, name: string][] =>
  matches.flatMap(({ slot, module }) =>
    [...module.keys].map(([key, name]): [string, string] => [keyFor(slot, module, key), name]),
  );
