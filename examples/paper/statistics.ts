/** The mean of some values and their standard deviation, with n − 1. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** Returns the mean and the standard deviation; that of one value is 0. */
export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}

/** The number of steps after which the mean loss of the last ten is at most a target; infinite if it never is. */
export function stepsTo(target: number, smoothedLosses: readonly number[]): number {
  const step = smoothedLosses.findIndex((loss) => loss <= target);
  return step === -1 ? Number.POSITIVE_INFINITY : step + 1;
}

/** `mean ± deviation`. */
export function spread(values: readonly number[], digits: number): string {
  const { mean, deviation } = spreadOf(values);
  return `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
}

/** `mean ± deviation` of fractions, in percent. */
export const percent = (values: readonly number[]): string =>
  `${spread(
    values.map((value) => 100 * value),
    1,
  )} %`;
