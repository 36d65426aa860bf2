import { pluralize } from '../../core/text.ts';

/** The part of the report of `loadCheckpoint` about the state of an optimizer. */
export interface OptimizerReport {
  /** The paths of the parameters whose state was restored. */
  readonly restored: readonly string[];
  /** The paths of the parameters without state in the file. They start as on a first step. */
  readonly missing: readonly string[];
  /** The paths of state in the file that the optimizer has no parameter for; empty if `strict`. */
  readonly unexpected: readonly string[];
  /** The number of steps so far, which was restored; null for a file without an optimizer. */
  readonly iterations: number | null;
  /** The options of the optimizer, besides the learning rate, that differ from the file. They stay as they are. */
  readonly differing: readonly string[];
  /** Returns the report as lines. */
  toString(): string;
}

/** Adds the lines to the parts of a report. */
export const optimizerReport = (parts: Omit<OptimizerReport, 'toString'>): OptimizerReport => ({
  ...parts,
  toString: () => linesOf(parts).join('\n'),
});

function linesOf({
  restored,
  missing,
  unexpected,
  iterations,
  differing,
}: Omit<OptimizerReport, 'toString'>): string[] {
  const part = (name: string, list: readonly string[]): string[] =>
    list.length === 0 ? [] : [`optimizer, ${name}: ${list.join(', ')}`];
  return [
    iterations === null
      ? 'optimizer: the file has none'
      : `optimizer: the state of ${pluralize(restored.length, 'parameter')} after ${pluralize(iterations, 'step')}`,
    ...part('without state in the file', missing),
    ...part('without a parameter', unexpected),
    ...part('other options than in the file', differing),
  ];
}
