import type { StatePart, StateView } from '../../../stateDict/stateView.ts';
import { isRenamed, type Rename, type Selection } from '../selectState.ts';
import type { StoredNames } from '../storedNames.ts';
import { checkMatching, doublesOf, layersBelow, placesFor } from './candidates.ts';
import { noMatch, refusal } from './matchErrors.ts';
import { keysOf, matchSlots, refuses } from './matchSlots.ts';
import { type PartsOptions, selectByShape } from './selectByShape.ts';
import { misfit, type Slot } from './slots.ts';
import type { StoredModule } from './storedModules.ts';

/**
 * Finds the tensors of the parts of a model that have no name in the file.
 *
 * @param selection - the state dict by the names of the other parts
 * @param named - the keys that were found by name, with their parts
 * @throws {@link CheckpointError} `AMBIGUOUS` if several matchings fit, `UNSUPPORTED`
 * @throws {@link StateDictError} if the modules of the file do not fit the model
 */
export function selectUnnamed(
  stored: StoredNames,
  view: StateView,
  options: PartsOptions,
  selection: Selection,
  named: ReadonlyMap<string, StatePart>,
): Selection {
  checkRefused(selection, view, options.rename);
  return named.size === 0
    ? selectByShape(stored, view, options)
    : withOthers(stored, view, options, selection, named);
}

/** Refuses modules of torch that would be loaded by name into layers that compute another result. */
function checkRefused({ keys, prefix }: Selection, { parts }: StateView, rename: Rename | undefined): void {
  for (const part of parts) {
    const start = part.path === '' ? '' : `${part.path}.`;
    for (const [key, name] of part.refused === undefined ? [] : keys) {
      const isNamed = part.isNamed || isRenamed(rename, name.slice(prefix.length));
      if (isNamed && key.startsWith(start) && part.refused!.names.test(key.slice(start.length)))
        throw refusal(part, key);
    }
  }
}

/**
 * Completes a selection by names: layers without given names get the remaining modules, if exactly one matching exists.
 *
 * @param named - the keys that were found by name, with their parts
 */
function withOthers(
  stored: StoredNames,
  state: StateView,
  { strict }: PartsOptions,
  selection: Selection,
  named: ReadonlyMap<string, StatePart>,
): Selection {
  const found = new Set([...named.values()].map(({ owner }) => owner));
  const parts = state.parts.filter(({ isNamed, owner }) => !isNamed && !found.has(owner));
  if (parts.length === 0) return selection;
  const loaded = new Map([...selection.keys].filter(([key]) => named.has(key)));
  const tied = doublesOf(selection.keys, loaded, stored);
  const rest = new Map([...selection.keys].filter(([key]) => !named.has(key) && !tied.has(key)));
  const isBeside = ({ path }: StoredModule): boolean =>
    !state.parts.some((part) => part.path === path && (part.isNamed || found.has(part.owner)));
  const { slots, modules: all } = placesFor(stored, parts, rest, selection.prefix);
  const modules = all.filter(isBeside);
  const [open, left] = strict ? [slots, modules] : withoutHopeless(slots, modules);
  const matching = matchSlots(open, left, state.areOrdered, layersBelow(stored, selection.prefix));
  if (matching === null) throw noMatch(state, slots, modules, rest.keys());
  checkMatching(matching);
  const isMatched = new Set(left.flatMap((module) => [...module.keys.keys()]));
  const unexpected = [...rest].filter(([key]) => !isMatched.has(key));
  // A generated name in the file may belong to another layer of this model.
  const takenBy = (key: string): StatePart | undefined => parts.find((part) => part === state.partOf(key));
  return {
    ...selection,
    keys: new Map([
      ...loaded,
      ...keysOf(matching.matches),
      ...unexpected.filter(([key]) => takenBy(key) === undefined),
    ]),
    tied,
    unexpected: unexpected.filter(([key]) => takenBy(key) !== undefined).map(([, name]) => name),
  };
}

/** Returns slots and modules without those that fit nothing, which are missing and unexpected. */
function withoutHopeless(slots: readonly Slot[], modules: readonly StoredModule[]): [Slot[], StoredModule[]] {
  const fits = (slot: Slot, module: StoredModule): boolean =>
    refuses(slot, module) || misfit(slot, module) === null;
  return [
    slots.filter((slot) => modules.some((module) => fits(slot, module))),
    modules.filter((module) => slots.some((slot) => fits(slot, module))),
  ];
}
