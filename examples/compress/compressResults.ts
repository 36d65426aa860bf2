import type { ResultTable } from '../mnist/resultTables.ts';
import { lineChart } from '../paper/plot/lineChart.ts';
import { percent, spread, spreadOf } from '../paper/statistics.ts';
import { bitCounts, type Point, sparsities } from './compressModel.ts';

const names: Readonly<Record<number, string>> = { 32: 'float32', 8: 'int8', 4: 'int4' };

/** The points of a kind of model, in the order of the seeds. */
const pointsOf = (points: readonly Point[], sparsity: number, bits: number): Point[] =>
  points.filter((point) => point.sparsity === sparsity && point.bits === bits);

/** The points of accuracy that a kind of model loses, for each seed. */
function lost(points: readonly Point[], sparsity: number, bits: number): number[] {
  const whole = pointsOf(points, 0, 32);
  return pointsOf(points, sparsity, bits).map(({ accuracy }, i) => 100 * (whole[i]!.accuracy - accuracy));
}

const kilobytes = (bytes: readonly number[]): string => (spreadOf(bytes).mean / 1000).toFixed(1);

/** The accuracy and the bytes of all kinds of models, as means over the seeds. */
export const resultTable = (points: readonly Point[]): ResultTable => ({
  title: 'Accuracy against bytes, mean ± standard deviation',
  columns: ['weights', 'zeros', 'accuracy', 'points lost', 'kB', 'kB after gzip'],
  rows: bitCounts.flatMap((bits) =>
    sparsities.map((sparsity) => {
      const own = pointsOf(points, sparsity, bits);
      return [
        names[bits]!,
        `${Math.round(100 * sparsity)} %`,
        percent(own.map(({ accuracy }) => accuracy)),
        spread(lost(points, sparsity, bits), 2),
        kilobytes(own.map(({ bytes }) => bytes)),
        kilobytes(own.map(({ gzip }) => gzip)),
      ];
    }),
  ),
});

/** The statements of the example. Each is measured. */
export function checks(points: readonly Point[]): { readonly text: string; readonly held: boolean }[] {
  const limit = (what: string, sparsity: number, bits: number, most: number) => {
    const values = lost(points, sparsity, bits);
    return {
      text: `${what} lose ${spread(values, 2)} points (at most ${most})`,
      held: spreadOf(values).mean <= most,
    };
  };
  return [
    limit('Integers of 8 bits', 0, 8, 0.5),
    limit('90 % zeros', 0.9, 32, 1),
    limit('90 % zeros and integers of 8 bits', 0.9, 8, 1),
    {
      text: 'tf.loadLayersModel loads every file, and predicts what the trained model does, bit for bit',
      held: points.every(({ isFileExact }) => isFileExact),
    },
  ];
}

const colors = ['#59626d', '#0072b2', '#e69f00'];

/** The plot: accuracy over bytes after gzip, a line for each kind of numbers with a point for each share of zeros. */
export const plot = (points: readonly Point[]): string =>
  lineChart({
    title: 'Accuracy over the bytes of the file; zeros from 0 (right) to 98 % (left)',
    x: {
      label: 'kB after gzip',
      values: [],
      ticks: [5, 10, 20, 50, 100, 200, 500, 1000],
      isLogarithmic: true,
    },
    y: { label: 'test accuracy, %', ticks: [90, 92, 94, 96, 98, 100], isLogarithmic: false },
    series: bitCounts.map((bits, i) => {
      const means = sparsities.map((sparsity) => {
        const own = pointsOf(points, sparsity, bits);
        return {
          x: spreadOf(own.map(({ gzip }) => gzip / 1000)).mean,
          y: spreadOf(own.map(({ accuracy }) => 100 * accuracy)),
        };
      });
      return {
        name: names[bits]!,
        color: colors[i]!,
        x: means.map(({ x }) => x),
        values: means.map(({ y }) => y.mean),
        deviations: means.map(({ y }) => y.deviation),
      };
    }),
  });
