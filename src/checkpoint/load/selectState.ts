import { joinPath } from '../../core/paths.ts';
import type { ConvertedTie } from '../../nn/stateDict/tiedKeys.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';

/** Other names for keys: a function, or a table of whole keys and of paths before a dot. Null leaves a key out. */
export type Rename = ((key: string) => string | null) | Readonly<Record<string, string | null>>;

/** The state dict in a file. */
export interface Selection {
  /** The prefix of the keys. */
  readonly prefix: string;
  /** The names of the tensors in the file, by key. */
  readonly keys: ReadonlyMap<string, string>;
  /** The names of the other tensors. */
  readonly skipped: readonly string[];
  /** The names of tensors of the state dict that the model does not need and {@link keys} does not list. */
  readonly unexpected?: readonly string[];
  /** The keys that are left out because another key has the same tensor, with that key. */
  readonly tied?: ReadonlyMap<string, string>;
  /** Pairs of names whose tensors have to be equal, because they belong to one tensor of the model. */
  readonly rivals?: readonly Rivals[];
}

/** Two names of a file, with the change of layout from the second tensor to the first, if there is one. */
export type Rivals = readonly [one: string, other: string, convert?: ConvertedTie['convert']];

/** Returns true if the model may have a key. `from` is the key in the file. */
export type IsKnown = (key: string, from: string) => boolean;

/**
 * Finds the state dict among the tensors of a file. Training checkpoints wrap it (`state_dict.`, `model.`,
 * `generator.`), and so do DataParallel (`module.`) and Lightning. The part that matches most keys of the model is
 * selected.
 *
 * @param isKnown - true if the model may have a key
 * @throws {@link CheckpointError} `AMBIGUOUS` if two parts of the file match equally well, `OPTION` for a prefix or a
 * renaming that matches nothing
 */
export function selectState(
  names: readonly string[],
  isKnown: IsKnown,
  asked: string | undefined,
  rename: Rename | undefined,
): Selection {
  const renamed = renamer(rename);
  const prefix = asked === undefined ? bestPrefix(names, isKnown, renamed) : withDot(asked, names);
  const keys = new Map<string, string>();
  const skipped: string[] = [];
  for (const name of names) {
    const key = name.startsWith(prefix) ? renamed(name.slice(prefix.length)) : null;
    if (key === null) {
      skipped.push(name);
      continue;
    }
    const other = keys.get(key);
    if (other !== undefined) {
      throw new CheckpointError(
        'OPTION',
        `rename makes ${quoted(key)} of both ${quoted(other)} and ${quoted(name)}`,
        'Leave one of them out by null.',
      );
    }
    keys.set(key, name);
  }
  return { prefix, keys, skipped };
}

/** Returns the function that renames a key. */
export function renamer(rename: Rename | undefined): (key: string) => string | null {
  if (rename === undefined) return (key) => key;
  if (typeof rename === 'function') return rename;
  // The longest path comes first, so `a.b` wins over `a`.
  const table = Object.entries(rename).sort(([a], [b]) => b.length - a.length);
  return (key) => {
    for (const [from, to] of table) {
      if (key === from) return to;
      if (key.startsWith(`${from}.`)) return to === null ? null : joinPath(to, key.slice(from.length + 1));
    }
    return key;
  };
}

/** True if a renaming changes a key, so that the new key is a given name. */
export function isRenamed(rename: Rename | undefined, from: string): boolean {
  if (rename === undefined) return false;
  if (typeof rename === 'function') return rename(from) !== from;
  return Object.keys(rename).some((path) => from === path || from.startsWith(`${path}.`));
}

function bestPrefix(
  names: readonly string[],
  isKnown: IsKnown,
  renamed: (key: string) => string | null,
): string {
  const scores = new Map<string, number>([['', 0]]);
  for (const name of names) {
    for (const prefix of prefixesOf(name)) {
      const from = name.slice(prefix.length);
      const key = renamed(from);
      if (key !== null && isKnown(key, from)) scores.set(prefix, (scores.get(prefix) ?? 0) + 1);
    }
  }
  const best = Math.max(...scores.values());
  const winners = [...scores].filter(([, score]) => score === best).map(([prefix]) => prefix);
  if (winners.length === 1 || winners.includes('')) return winners.includes('') ? '' : winners[0]!;
  throw severalFit(winners);
}

/** The error for a file with several fitting state dicts. */
export const severalFit = (prefixes: readonly string[]): CheckpointError =>
  new CheckpointError(
    'AMBIGUOUS',
    `the file has several state dicts that fit: ${prefixes.slice(0, 5).map(quoted).join(', ')}`,
    'Pass { prefix } to say which.',
  );

/**
 * The maximum number of wrappers around a state dict. Without a limit, a hostile name would cost the square of its
 * length.
 */
const deepest = 8;

/** Returns the empty prefix and the prefixes that end with one of the first dots. */
export function prefixesOf(name: string): string[] {
  const prefixes = [''];
  for (
    let dot = name.indexOf('.');
    dot >= 0 && prefixes.length <= deepest;
    dot = name.indexOf('.', dot + 1)
  ) {
    prefixes.push(name.slice(0, dot + 1));
  }
  return prefixes;
}

/**
 * Returns a prefix with its dot.
 *
 * @throws {@link CheckpointError} `OPTION` if no name begins with it
 */
export function withDot(asked: string, names: readonly string[]): string {
  const prefix = asked === '' || asked.endsWith('.') ? asked : `${asked}.`;
  if (names.some((name) => name.startsWith(prefix))) return prefix;
  const tops = [...new Set(names.map((name) => name.split('.')[0]!))].slice(0, 8);
  throw new CheckpointError(
    'OPTION',
    `prefix is ${quoted(asked)}, and no tensor of the file is called so`,
    `They begin with ${tops.map(quoted).join(', ')}.`,
  );
}
