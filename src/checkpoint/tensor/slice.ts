import { sizeOf } from '../../core/shapes.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { Reading } from '../source/reading.ts';

/** A part of a tensor, along each of its axes. */
export interface Box {
  readonly begin: readonly number[];
  readonly size: readonly number[];
}

/**
 * Returns the complete box of a requested part. Axes that are not given are whole, and -1 means the rest of an axis.
 *
 * @throws {@link CheckpointError} `OPTION` if the part is not inside of the tensor
 */
export function boxIn(
  name: string,
  shape: readonly number[],
  begin: readonly number[],
  size: readonly number[],
): Box {
  const starts = shape.map((_, axis) => begin[axis] ?? 0);
  const sizes = shape.map((length, axis) => {
    const asked = size[axis] ?? -1;
    return asked === -1 ? length - starts[axis]! : asked;
  });
  const isWithin = (length: number, axis: number): boolean =>
    Number.isInteger(starts[axis]) &&
    Number.isInteger(sizes[axis]) &&
    starts[axis]! >= 0 &&
    sizes[axis]! >= 0 &&
    starts[axis]! + sizes[axis]! <= length;
  if (begin.length > shape.length || size.length > shape.length || !shape.every(isWithin)) {
    throw new CheckpointError(
      'OPTION',
      `the slice that begins at [${begin.join(', ')}] and has the size [${size.join(', ')}] does not lie within ${quoted(name)}, whose shape is [${shape.join(', ')}]`,
      'info(name) has the shape.',
    );
  }
  return { begin: starts, size: sizes };
}

/** The type of {@link readBox}. */
export type ReadBox = typeof readBox;

/** The largest gap that is read, too, because a separate request costs more. */
const smallGap = 64 * 1024;

/** The maximum bytes of a read across gaps. */
const most = 1024 * 1024;

/**
 * Reads the bytes of a part of a contiguous tensor.
 *
 * @param each - the number of bytes of an element
 * @param read - reads bytes of the tensor
 */
export function* readBox(
  shape: readonly number[],
  box: Box,
  each: number,
  read: (offset: number, length: number) => Reading<Uint8Array>,
): Reading<Uint8Array> {
  // The axes after this one are whole, so elements along them have no gaps.
  let axis = shape.length - 1;
  while (axis > 0 && box.size[axis] === shape[axis]) axis--;
  const outer = Math.max(axis, 0);
  const run = each * sizeOf(box.size.slice(outer));
  const count = sizeOf(box.size.slice(0, outer));
  const starts = startsOf(shape, box, each, outer);
  if (run * count === 0) return new Uint8Array(0);
  if (count === 1) return yield* read(starts.next().value as number, run);
  const bytes = new Uint8Array(run * count);
  let filled = 0;
  let near: number[] = [];
  const take = function* (): Reading<void> {
    const first = near[0]!;
    const part = yield* read(first, near.at(-1)! + run - first);
    for (const start of near) {
      bytes.set(part.subarray(start - first, start - first + run), filled);
      filled += run;
    }
    near = [];
  };
  for (let i = 0; i < count; i++) {
    const start = starts.next().value as number;
    const last = near.at(-1);
    const isNear = last !== undefined && start - (last + run) <= smallGap && start + run - near[0]! <= most;
    if (last !== undefined && !isNear) yield* take();
    near.push(start);
  }
  yield* take();
  return bytes;
}

/** Yields the byte offsets of the runs of a part in order, one for each position along the outer axes. */
function* startsOf(
  shape: readonly number[],
  { begin, size }: Box,
  each: number,
  outer: number,
): Generator<number, void> {
  const strides = shape.map((_, axis) => each * sizeOf(shape.slice(axis + 1)));
  let start = begin.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  const index = size.map(() => 0);
  for (;;) {
    yield start;
    let axis = outer - 1;
    for (; axis >= 0; axis--) {
      start += strides[axis]!;
      if (++index[axis]! < size[axis]!) break;
      start -= size[axis]! * strides[axis]!;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}
