import { flatten, type Numbers } from '../../toBeAllClose.ts';

/** Mean, standard deviation and range of all numbers. */
export function statistics(numbers: Numbers): { mean: number; std: number; min: number; max: number } {
  const values = flatten(numbers);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  return { mean, std, min: Math.min(...values), max: Math.max(...values) };
}
