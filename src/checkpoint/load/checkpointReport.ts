import type { KeyMapping } from '../../nn/stateDict/keyMapping.ts';
import { mappingText } from '../../nn/stateDict/keyMapping.ts';
import { quoted } from '../checkpointError.ts';
import { type CheckpointNote, noteText } from '../metadata/checkpointNote.ts';
import type { OptimizerReport } from './optimizerReport.ts';

/** The report of `loadCheckpoint`, which prints as a table. */
export interface CheckpointReport {
  /** The prefix of the keys in the file: `state_dict.module.`, or the empty string. */
  readonly prefix: string;
  /** The loaded tensors: names in the file, keys of the model, and the actions. */
  readonly mapped: readonly KeyMapping[];
  /** The loaded tensors that are normalized in the file and plain in the model, so their weight was computed. */
  readonly folded: readonly KeyMapping[];
  /** The keys of the model that the file lacks; empty if `strict`. */
  readonly missing: readonly string[];
  /** The names in the state dict of the file that the model lacks; empty if `strict`. */
  readonly unexpected: readonly string[];
  /** The names in the file outside of the state dict: of an optimizer, for example, or left out by `rename`. */
  readonly skipped: readonly string[];
  /**
   * Groups of keys of one tensor, in the model (one variable) and in the file. {@link mapped} has the first key of a
   * group.
   */
  readonly ties: readonly (readonly string[])[];
  /** The tensors that were parametrized by the recipe in the file. */
  readonly registered: readonly string[];
  /** The classes and functions of Python in the file. None was run. */
  readonly placeholders: readonly string[];
  /** Notes that are not errors. {@link toString} prints them as lines. */
  readonly notes: readonly CheckpointNote[];
  /** The state of the optimizer; null if no optimizer was passed. */
  readonly optimizer: OptimizerReport | null;
  /** Returns the table. */
  toString(): string;
}

/** Adds the table to the parts of a report. */
export const checkpointReport = (parts: Omit<CheckpointReport, 'toString'>): CheckpointReport => ({
  ...parts,
  toString: () => tableOf(parts),
});

function tableOf(report: Omit<CheckpointReport, 'toString'>): string {
  const { prefix, mapped, missing, unexpected, skipped, ties, registered, placeholders, notes, optimizer } =
    report;
  const rows = [
    ...mapped.map((mapping) => [mapping.from.join(' + '), mapping.to.join(' + '), mappingText(mapping)]),
    ...ties.flatMap(([first, ...others]) => others.map((key) => ['—', key, `tied to ${first}`])),
    ...missing.map((key) => ['—', key, 'missing in the file']),
    ...unexpected.map((name) => [name, '—', 'unexpected']),
    ...grouped(skipped).map((names) => [names, '—', 'skipped']),
  ];
  const table = [['in the file', 'in the model', 'how'], ...rows];
  const widths = [0, 1].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map(([file, model, how]) =>
    `${file!.padEnd(widths[0]!)}  ${model!.padEnd(widths[1]!)}  ${how}`.trimEnd(),
  );
  const above = [
    ...(prefix === '' ? [] : [`prefix: ${prefix}`]),
    ...(registered.length === 0 ? [] : [`registered by the recipe: ${registered.join(', ')}`]),
  ];
  const texts = notes.map(noteText);
  const all = placeholders.length === 0 ? texts : [...texts, placeholderNote(placeholders)];
  const below = optimizer === null ? [] : [String(optimizer)];
  return [...above, ...lines, ...below, ...all.map((note) => `note: ${note}`)].join('\n');
}

/** Returns a line about Python's classes and functions in a file. */
export function placeholderNote(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(quoted).join(', ');
  return `of ${shown}${names.length > 8 ? ` and ${names.length - 8} more` : ''} the file has data, of which nothing was run`;
}

/** Groups names by their start, because an optimizer has hundreds. */
function grouped(names: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const top = name.split(/[./]/, 1)[0]!;
    const group = groups.get(top);
    if (group === undefined) groups.set(top, [name]);
    else group.push(name);
  }
  return [...groups].map(([top, [first, ...more]]) =>
    more.length === 0 ? first! : `${top}.… (${more.length + 1} tensors)`,
  );
}
