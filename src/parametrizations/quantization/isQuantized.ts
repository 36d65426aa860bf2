import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import { listOf } from '../axes/keptAxes.ts';
import { isOnGrid } from '../set/isOnGrid.ts';
import { slicesWithScale } from '../set/slicesWithScale.ts';
import { middleOf } from './observedGrid.ts';
import { type FakeQuantizeOptions, rangeOf } from './quantizeOptions.ts';

/** True if each slice has elements that integers of the range and some scale stand for. */
export function isQuantized(
  value: ReadTensor,
  options: Required<FakeQuantizeOptions>,
  tolerance: number,
): boolean {
  const { dim, groupSize, groupDim, symmetric, learned } = options;
  const kept = listOf(dim ?? (groupSize === undefined ? null : 0));
  const range = rangeOf(options);
  const middle = learned ? 0 : middleOf(range);
  const slices = slicesWithScale(value, kept, groupDim ?? (kept.includes(0) ? 1 : 0), groupSize);
  return slices?.every((slice) => isOnGrid(slice, range, symmetric ? middle : null, tolerance)) ?? false;
}
