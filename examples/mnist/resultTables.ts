import type { KernelNorms } from './constraintInFit.ts';
import type { CriticCost } from './critic.ts';
import type { Run } from './runVariant.ts';

/** All that the program finds out. */
export interface Results {
  readonly runs: readonly Run[];
  readonly norms: readonly KernelNorms[];
  readonly critics: readonly CriticCost[];
}

/** A table with a row head in the first column. */
export interface ResultTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The only column whose cells differ between two runs with the same options. */
const timeColumn = 'time per step';

/** The results as tables, for the terminal and the report. */
export const resultTables = ({ runs, norms, critics }: Results): ResultTable[] => [
  {
    title: 'One deep network, trained in three ways from the same weights',
    columns: ['run', 'seed', 'test accuracy', 'last loss', timeColumn, 'tensors before / after'],
    rows: runs.map((run) => [
      run.name,
      String(run.seed),
      percent(run.accuracies.at(-1)!),
      lastLoss(run).toFixed(4),
      milliseconds(run.durations),
      `${run.tensors.before} / ${run.tensors.after}`,
    ]),
  },
  {
    title: 'Column norms of a dense kernel of tf.layers after fit; the constraint says 1',
    columns: ['constraint', 'smallest norm', 'largest norm'],
    rows: norms.map(({ name, least, largest }) => [name, least.toFixed(5), largest.toFixed(5)]),
  },
  {
    title: 'A spectral-normalized discriminator of three layers',
    columns: ['run', 'power iterations per step', timeColumn, 'last loss'],
    rows: critics.map(({ name, iterationsPerStep, durations, loss }) => [
      name,
      String(iterationsPerStep),
      milliseconds(durations),
      loss.toFixed(4),
    ]),
  },
];

/** The mean loss of the last epoch, which says more than that of one batch. */
function lastLoss({ losses, accuracies }: Run): number {
  const last = losses.slice(-losses.length / accuracies.length);
  return last.reduce((sum, loss) => sum + loss, 0) / last.length;
}

/** The median: the first steps of a process are slow, and so is one that something else interrupts. */
function milliseconds(durations: readonly number[]): string {
  const sorted = [...durations].sort((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)]!.toFixed(1)} ms`;
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
