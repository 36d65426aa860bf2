import { formatShape } from '../../core/shapes.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import type { StoredTensor } from '../tensor/storedTensor.ts';
import { converted } from './converted.ts';
import { floats } from './foldStored.ts';
import type { Place } from './mergedView.ts';
import type { StoredMember } from './mergeTies.ts';
import { transposed } from './transposed.ts';

/**
 * Refuses a tied tensor of a file whose value is not that of its source.
 *
 * @param place - the place of the value of the source; null for a source that the file computes
 * @throws {@link CheckpointError} `CONFLICT`, `SHAPE`
 */
export async function checkTiedValue(
  file: CheckpointFile,
  { name, from, isTransposed }: StoredMember,
  root: string,
  place: Place | null,
): Promise<void> {
  const source =
    place === null
      ? await converted(file, { keyFormat: 'folded' }).get(root)!.read()
      : await file.read(place.from);
  const isTurned = isTransposed !== (place?.isTransposed ?? false);
  const wanted = isTurned ? transposed(source, root) : source;
  const tied = await file.read(from);
  if (formatShape(wanted.shape) !== formatShape(tied.shape)) {
    const shapes = `${formatShape(tied.shape)} and ${formatShape(source.shape)}`;
    throw new CheckpointError(
      'SHAPE',
      `${quoted(name)} is tied to ${isTransposed ? 'the transpose of ' : ''}${quoted(root)}, and they have the shapes ${shapes}`,
      'Correct the tie of the recipe.',
    );
  }
  if (areEqual(numbersOf(tied, name), numbersOf(wanted, root), place === null ? rounding : 0)) return;
  throw new CheckpointError(
    'CONFLICT',
    `${quoted(name)} is tied to ${quoted(root)}, and the file has other values under the two names`,
    'Leave the tie out of the recipe, or one of the tensors out of the file.',
  );
}

/** The largest difference of a tied tensor from a computed value, in units of its largest element. */
const rounding = 1e-5;

const numbersOf = (stored: StoredTensor, name: string): ArrayLike<number | bigint> =>
  /^B?F(16|32|64)$/.test(stored.dtype) ? floats(stored, name) : stored.data;

function areEqual(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>, relative: number): boolean {
  let largest = 0;
  for (let i = 0; relative > 0 && i < b.length; i++) largest = Math.max(largest, Math.abs(Number(b[i])));
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [Number(a[i]), Number(b[i])];
    if (Object.is(one, other) || one === other) continue;
    if (!(Math.abs(one - other) <= relative * largest)) return false;
  }
  return true;
}
