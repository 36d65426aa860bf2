/** The percentiles of the numbers with one scale. */
export interface Percentiles {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/**
 * Returns the percentiles of the numbers of each scale, between neighbors by linear interpolation.
 *
 * @param indices - the index of the scale of each number
 * @param percentile - the part of the numbers below `max`, and above `min`, in percent
 * @param isSymmetric - true for percentiles of the absolute values: `min` is `−max` then
 */
export function percentilesOf(
  numbers: Float32Array,
  indices: Int32Array,
  count: number,
  percentile: number,
  isSymmetric: boolean,
): Percentiles {
  const sizes = new Int32Array(count);
  for (const index of indices) sizes[index]!++;
  const slices = Array.from(sizes, (size) => new Float32Array(size));
  const filled = new Int32Array(count);
  for (const [i, index] of indices.entries()) {
    slices[index]![filled[index]!++] = isSymmetric ? Math.abs(numbers[i]!) : numbers[i]!;
  }
  for (const slice of slices) slice.sort();
  const max = Float32Array.from(slices, (slice) => quantile(slice, percentile / 100));
  const min = isSymmetric
    ? max.map((size) => -size)
    : Float32Array.from(slices, (slice) => quantile(slice, 1 - percentile / 100));
  return { min, max };
}

/** Returns a quantile of sorted numbers; 0 for none. */
function quantile(sorted: Float32Array, share: number): number {
  if (sorted.length === 0) return 0;
  const place = share * (sorted.length - 1);
  const below = Math.min(Math.floor(place), sorted.length - 1);
  const [a, b] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return a + (b - a) * (place - below);
}
