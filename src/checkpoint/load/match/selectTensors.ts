import type { StatePart, StateView } from '../../../stateDict/stateView.ts';
import { isRenamed, type Selection, selectState } from '../selectState.ts';
import type { StoredNames } from '../storedNames.ts';
import type { PartsOptions } from './selectByShape.ts';

/**
 * Finds the state dict of a model among the tensors of a file. Named parts are found by name. If the model allows it,
 * other parts are found by the names and shapes of tensors, if exactly one matching exists.
 *
 * @throws {@link CheckpointError} `AMBIGUOUS` if several matchings fit, `UNSUPPORTED`, `OPTION`
 * @throws {@link StateDictError} if the modules of the file do not fit the model
 */
export async function selectTensors(
  stored: StoredNames,
  view: StateView,
  options: PartsOptions,
): Promise<Selection> {
  const ignored = stored.names.filter((name) => view.ignored?.test(name));
  const others = { ...stored, names: stored.names.filter((name) => !ignored.includes(name)) };
  const selection = await selectOf(others, view, options);
  return { ...selection, skipped: [...selection.skipped, ...ignored] };
}

async function selectOf(stored: StoredNames, view: StateView, options: PartsOptions): Promise<Selection> {
  const { prefix, rename } = options;
  const partOf = (key: string, from: string): StatePart | undefined => {
    const part = view.partOf(view.ties.sourceOf(key));
    return part !== undefined && (part.isNamed || isRenamed(rename, from)) ? part : undefined;
  };
  const isKnown = (key: string, from: string): boolean => partOf(key, from) !== undefined;
  const selection = selectState(stored.names, isKnown, prefix, rename);
  if (view.matching === 'names') return selection;
  const named = new Map<string, StatePart>();
  for (const [key, name] of selection.keys) {
    const part = partOf(key, name.slice(selection.prefix.length));
    if (part !== undefined) named.set(key, part);
  }
  const { selectUnnamed } = await import('./selectUnnamed.ts');
  return selectUnnamed(stored, view, options, selection, named);
}
