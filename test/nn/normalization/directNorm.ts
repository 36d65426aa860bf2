/** Numbers brought to mean 0 and variance 1 within each group, one at a time. */
export interface Normalized {
  readonly y: number[];
  /** Mean and variance (divided by n) of each group, in the order of their first elements. */
  readonly means: number[];
  readonly variances: number[];
}

/** The definition of every normalization: element i belongs to group `groupOf(i)`. */
export function directNorm(x: readonly number[], groupOf: (i: number) => number, eps = 1e-5): Normalized {
  const groups = new Map<number, number[]>();
  x.forEach((value, i) => {
    groups.set(groupOf(i), [...(groups.get(groupOf(i)) ?? []), value]);
  });
  const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const moments = new Map(
    [...groups].map(([group, values]) => {
      const mean = average(values);
      return [group, { mean, variance: average(values.map((value) => (value - mean) ** 2)) }] as const;
    }),
  );
  const y = x.map((value, i) => {
    const { mean, variance } = moments.get(groupOf(i))!;
    return (value - mean) / Math.sqrt(variance + eps);
  });
  return {
    y,
    means: [...moments.values()].map(({ mean }) => mean),
    variances: [...moments.values()].map(({ variance }) => variance),
  };
}
