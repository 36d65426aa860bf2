import type { ResultTable } from '../mnist/resultTables.ts';
import { percent, spreadOf } from '../paper/statistics.ts';
import type { Taught } from './teachTwice.ts';

const names = { base: 'the base', full: 'all weights trained', adapter: 'adapter trained' } as const;

/** The accuracies, the trained parameters and the bytes of a file, as means over the seeds. */
export const resultTable = (runs: readonly Taught[]): ResultTable => ({
  title: 'Accuracy on test digits, mean ± standard deviation',
  columns: ['model', 'digits 0–4', 'digits 5–9', 'trained parameters', 'file'],
  rows: (['base', 'full', 'adapter'] as const).map((name) => {
    const accuracies = runs.map(({ accuracy }) => accuracy[name]);
    const part = name === 'adapter' ? 'adapter' : 'model';
    const [{ parameters, bytes }] = runs as [Taught];
    return [
      names[name],
      percent(accuracies.map(({ old }) => old)),
      percent(accuracies.map((one) => one.new)),
      parameters[part].toLocaleString('en'),
      `${Math.round(bytes[part] / 1000).toLocaleString('en')} kB`,
    ];
  }),
});

/** A statement about all runs, and whether it held. */
interface Check {
  readonly text: string;
  readonly held: boolean;
}

/** The statements of the example. Each is measured. */
export function checks(runs: readonly Taught[]): Check[] {
  const [{ parameters, bytes }] = runs as [Taught];
  const [share, fileShare] = [parameters, bytes].map(({ adapter, model }) => adapter / model) as [
    number,
    number,
  ];
  const lost = runs.map(({ accuracy }) => 100 * (accuracy.full.new - accuracy.adapter.new));
  const { mean, deviation } = spreadOf(lost);
  const difference = Math.max(...runs.map(({ mergedDifference }) => mergedDifference));
  return [
    {
      text: `The adapter trains ${inPercent(share)} of the model’s parameters, those on the head and the biases included (below 3 %)`,
      held: share < 0.03,
    },
    {
      text: `It is ${mean.toFixed(2)} ± ${deviation.toFixed(2)} points behind the training of all weights on the digits 5–9 (within 1 point)`,
      held: mean <= 1,
    },
    {
      text: `Its file has ${inPercent(fileShare)} of the bytes of the model’s (below 5 %)`,
      held: fileShare < 0.05,
    },
    {
      text: `Merged and unmerged, probabilities differ by at most ${difference === 0 ? '0' : difference.toExponential(1)} (below 1e-6)`,
      held: difference < 1e-6,
    },
    {
      text: 'Without the adapter, switched off or unloaded, every logit of the test digits has the bits of the base',
      held: runs.every(({ isBaseKept }) => isBaseKept),
    },
    {
      text: 'A new model that loads both files has the same logits, bit for bit',
      held: runs.every(({ isFileExact }) => isFileExact),
    },
  ];
}

const inPercent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
