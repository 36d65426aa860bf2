import type { ForeignState } from '../../model/foreign/foreignModel.ts';
import { nativeKey } from '../../model/foreign/foreignTensor.ts';
import { keysIn, normalizationNames } from '../../nn/spelling/normalization.ts';
import { type Candidate, matchParts, noMatch, refusal } from './matchParts.ts';
import type { StoredNames } from './readState.ts';
import { prefixesOf, type Rename, renamer, type Selection, selectState, withDot } from './selectState.ts';

/**
 * Finds the state dict of a foreign model among the tensors of a file: by names, if any layer is called as a module there, else
 * by the order of the modules. Counters that torch keeps and no layer has are left out.
 *
 * @throws {@link CheckpointError} `AMBIGUOUS` if it is not clear which is which, `UNSUPPORTED`, `OPTION`
 * @throws {@link StateDictError} if the modules of the file are not those of the model
 */
export function selectParts(
  stored: StoredNames,
  state: ForeignState,
  prefix: string | undefined,
  rename: Rename | undefined,
): Selection {
  const counters = stored.names.filter((name) => /(?:^|\.)num_batches_tracked$/.test(name));
  const others = { ...stored, names: stored.names.filter((name) => !counters.includes(name)) };
  const selection = byName(others, state, prefix, rename) ?? byOrder(others, state, prefix, rename);
  return { ...selection, skipped: [...selection.skipped, ...counters] };
}

function byName(
  { names }: StoredNames,
  state: ForeignState,
  prefix: string | undefined,
  rename: Rename | undefined,
): Selection | null {
  const known = keysOfParts(state);
  const selection = selectState(names, known, prefix, rename);
  for (const part of state.parts) {
    const start = part.path === '' ? '' : `${part.path}.`;
    for (const key of part.refused === undefined ? [] : selection.keys.keys()) {
      if (key.startsWith(start) && part.refused!.names.test(key.slice(start.length)))
        throw refusal(part, { path: key });
    }
  }
  return [...selection.keys.keys()].some((key) => known.has(key)) ? selection : null;
}

/** The ends of the names of chains that have no old names. */
const chainParts = ['original', 'original0', 'original1', '0._u', '0._v', '0.base'];

/** Every key under which a tensor of the model may stand in a file. */
export function keysOfParts({ parts }: ForeignState): Set<string> {
  const keys = new Set<string>();
  for (const { path, tensors } of parts) {
    for (const tensor of tensors) {
      keys.add(tensor.path);
      for (const part of chainParts) keys.add(nativeKey(tensor, part));
      const prefix = path === '' ? '' : `${path}.`;
      for (const name of tensor.torchNames) {
        keys.add(prefix + name);
        for (const part of chainParts) keys.add(`${prefix}parametrizations.${name}.${part}`);
        for (const normalization of normalizationNames) {
          for (const isLegacy of [false, true]) {
            for (const key of keysIn(name, normalization, isLegacy)) keys.add(prefix + key);
          }
        }
      }
    }
  }
  return keys;
}

function byOrder(
  stored: StoredNames,
  state: ForeignState,
  asked: string | undefined,
  rename: Rename | undefined,
): Selection {
  const renamed = renamer(rename);
  const candidates = new Map<string, Map<string, string>>([['', new Map()]]);
  for (const name of stored.names) {
    for (const prefix of asked === undefined ? prefixesOf(name) : [withDot(asked, stored.names)]) {
      const key = name.startsWith(prefix) ? renamed(name.slice(prefix.length)) : null;
      if (key === null) continue;
      const keys = candidates.get(prefix);
      if (keys === undefined) candidates.set(prefix, new Map([[key, name]]));
      else keys.set(key, name);
    }
  }
  const list = [...candidates]
    .map(([prefix, keys]): Candidate => ({ prefix, keys }))
    .sort((a, b) => a.prefix.length - b.prefix.length);
  const likely = list.filter(({ keys }) => keys.size >= state.parts.length && keys.size > 0);
  const selection = matchParts(stored, state, likely);
  if (selection !== null) return selection;
  throw noMatch(stored, state, list);
}
