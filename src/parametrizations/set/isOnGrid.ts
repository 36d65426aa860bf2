import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import { largest } from './slices.ts';

/**
 * True if some scale makes all numbers integers that a range has, up to an error relative to the largest number.
 *
 * The extreme number is an integer times the scale, so every such integer is tried.
 *
 * @param zeroPoint - the integer that stands for zero; null for any of the range
 */
export function isOnGrid(
  values: ReadTensor['data'],
  [min, max]: readonly [number, number],
  zeroPoint: number | null,
  tolerance: number,
): boolean {
  const most = largest(values);
  if (most === 0) return true;
  const [low, high] = values.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [0, 0]);
  const isPositive = high === most;
  const ends = zeroPoint === null ? [min - max, max - min] : [min - zeroPoint, max - zeroPoint];
  const limit = isPositive ? ends[1]! : -ends[0]!;
  for (let steps = 1; steps <= limit; steps++) {
    const scale = most / steps;
    const [least, greatest] = [Math.round(low / scale), Math.round(high / scale)];
    const fits =
      zeroPoint === null ? greatest - least <= max - min : least >= ends[0]! && greatest <= ends[1]!;
    if (fits && values.every((x) => Math.abs(x - scale * Math.round(x / scale)) <= tolerance * most))
      return true;
  }
  return false;
}
