/** For every value the mean of it and those before it, at most `window` in all. */
export function smoothed(values: readonly number[], window: number): number[] {
  return values.map((_, i) => {
    const last = values.slice(Math.max(0, i + 1 - window), i + 1);
    return last.reduce((sum, value) => sum + value, 0) / last.length;
  });
}
