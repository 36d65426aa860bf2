import type { Run } from '../runVariant.ts';
import { smoothed } from './smoothed.ts';

/** A step says little by itself: the curve is the mean of this many. */
const smoothing = 25;

/** What `drawCharts.js` gets: for each chart the x values and one series for each run. */
export interface Chart {
  readonly title: string;
  readonly x: { readonly label: string; readonly values: readonly number[] };
  readonly y: { readonly label: string; readonly log: boolean; readonly digits: number };
  readonly series: readonly Series[];
}

interface Series {
  readonly name: string;
  readonly values: readonly number[];
  /** The number of its variant, which has a colour, and of its seed, which has a dash. */
  readonly variant: number;
  readonly seed: number;
}

/** The charts of the runs: how deep the signal goes, how the loss falls, what is recognized. */
export function charts(runs: readonly Run[]): Chart[] {
  const [{ spreads, losses, accuracies }] = runs as [Run];
  const names = [...new Set(runs.map(({ name }) => name))];
  const window = Math.min(smoothing, Math.ceil(losses.length / 4));
  const seriesOf = (valuesOf: (run: Run) => readonly number[]): Series[] =>
    runs.map((run) => ({
      name: `${run.name}, seed ${run.seed}`,
      values: valuesOf(run),
      variant: names.indexOf(run.name),
      seed: run.seed - 1,
    }));
  return [
    {
      title: 'Spread of the outputs over a batch, before training',
      x: { label: 'layer', values: numbersTo(spreads.length) },
      y: { label: 'standard deviation', log: true, digits: 8 },
      series: seriesOf((run) => run.spreads),
    },
    {
      title: `Training loss (mean of the last ${window} steps)`,
      x: { label: 'step', values: numbersTo(losses.length) },
      y: { label: 'cross-entropy (nats)', log: true, digits: 4 },
      series: seriesOf((run) => smoothed(run.losses, window)),
    },
    {
      title: 'Accuracy on the test digits',
      x: { label: 'epoch', values: numbersTo(accuracies.length) },
      y: { label: 'recognized (%)', log: false, digits: 1 },
      series: seriesOf((run) => run.accuracies.map((value) => 100 * value)),
    },
  ];
}

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
