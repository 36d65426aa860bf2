import Table from 'cli-table3';
import type { Run } from './runVariant.ts';

/** The columns of the result, as the terminal and the report show them. */
export const columns = [
  'run',
  'test accuracy',
  'last loss',
  'time per step',
  'reads per step',
  'evals per step',
  'evals per test pass',
  'evals in all',
  'tensors before / after',
] as const;

/** The index of the only column that differs between two runs with the same options. */
export const timeColumn = columns.indexOf('time per step');

/** One row of cells for each run. */
export function rowsOf(runs: readonly Run[]): string[][] {
  return runs.map((run) => [
    run.name,
    `${(100 * run.accuracies.at(-1)!).toFixed(2)} %`,
    lastLoss(run).toFixed(6),
    `${median(run.durations).toFixed(1)} ms`,
    amount(run.usage.training.reads / run.losses.length),
    amount(run.usage.training.evaluations / run.losses.length),
    amount(run.usage.testing.evaluations / run.accuracies.length),
    amount(run.usage.training.evaluations + run.usage.testing.evaluations),
    `${run.tensors.before} / ${run.tensors.after}`,
  ]);
}

/** The table as text. */
export function resultTable(runs: readonly Run[]): string {
  const rows = rowsOf(runs);
  const table = new Table({
    head: [...columns],
    colAligns: columns.map((_, i) => (i === 0 ? 'left' : 'right')),
    colWidths: columns.map((head, i) =>
      widthOf(
        head,
        rows.map((row) => row[i]!),
      ),
    ),
    wordWrap: true,
    style: { head: [], border: [] },
  });
  table.push(...rows);
  return table.toString();
}

/** The width at which a head breaks between words, and no cell breaks: a slow machine has long times. */
function widthOf(head: string, cells: readonly string[]): number {
  const padding = 2;
  return padding + Math.max(...[...head.split(' '), ...cells].map(({ length }) => length));
}

/** The mean loss of the last epoch, which says more than that of one batch. */
function lastLoss({ losses, accuracies }: Run): number {
  const last = losses.slice(-losses.length / accuracies.length);
  return last.reduce((sum, loss) => sum + loss, 0) / last.length;
}

/** Not the mean: the first steps of a process are slow, and so is one that something else interrupts. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

const amount = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: 2, useGrouping: true });
