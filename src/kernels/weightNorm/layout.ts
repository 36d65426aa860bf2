/** One slice after the other, each with a norm of its own: kept axes first, or all in one slice. */
export interface Rows {
  readonly kind: 'rows';
  readonly count: number;
  readonly length: number;
}

/**
 * Every number belongs to the sum of its column; several columns may belong to one norm. Kept axes last, or short
 * slices.
 *
 * The tensor is `batches` matrices of `size` numbers in rows of `width`; the last row of each may be shorter.
 */
export interface Columns {
  readonly kind: 'columns';
  readonly batches: number;
  readonly size: number;
  readonly width: number;
  /** The number of norms of a matrix. */
  readonly norms: number;
  /** The norm that each column belongs to. */
  readonly normOf: Int32Array;
}

/** Long slices, where several belong to one norm: kept axes in the middle. */
export interface Segments {
  readonly kind: 'segments';
  readonly length: number;
  /** The number of norms. */
  readonly norms: number;
  /** The norm that each slice belongs to. */
  readonly normOf: Int32Array;
}

/** The positions in memory of the numbers of each norm. */
export type Layout = Rows | Columns | Segments;

/** Slices from this length on are summed one by one; shorter ones, column by column. */
const SEGMENT = 256;

/** Rows that are shorter are joined, so that there is something to do four numbers at a time. */
const WIDTH = 64;

/** Neighbouring axes that are all kept, or all summed over. */
export interface Run {
  readonly size: number;
  readonly isKept: boolean;
}

/** Layouts that were asked for; a model asks for the same ones again and again. */
const known = new Map<string, Layout>();

/** The number of layouts that are remembered. */
const MOST_KNOWN = 200;

/** The layout of a tensor with a norm over some axes. */
export function layoutOf(shape: readonly number[], axes: readonly number[]): Layout {
  const key = `${shape.join()};${axes.join()}`;
  let layout = known.get(key);
  if (layout === undefined) {
    layout = makeLayout(shape, axes);
    if (known.size === MOST_KNOWN) known.clear();
    known.set(key, layout);
  }
  return layout;
}

function makeLayout(shape: readonly number[], axes: readonly number[]): Layout {
  const runs = runsOf(shape, axes);
  const batches = runs[0]?.isKept ? runs.shift()!.size : 1;
  if (runs.length <= 1) return { kind: 'rows', count: batches, length: runs[0]?.size ?? 1 };
  const last = runs.at(-1)!;
  if (!last.isKept && last.size >= SEGMENT) {
    const normOf = normsAlong([{ size: batches, isKept: true }, ...runs.slice(0, -1)]);
    return { kind: 'segments', length: last.size, norms: batches * normsIn(runs), normOf };
  }
  const ofRow = normsAlong(runs.slice(1));
  const rows = runs[0]!.size;
  const joined = Math.min(Math.ceil(WIDTH / ofRow.length), rows);
  const width = joined * ofRow.length;
  return {
    kind: 'columns',
    batches,
    size: rows * ofRow.length,
    width,
    norms: normsIn(runs),
    normOf: joined === 1 ? ofRow : Int32Array.from({ length: width }, (_, i) => ofRow[i % ofRow.length]!),
  };
}

/** The runs of a tensor with a norm over some axes; axes of size 1 are in none. */
export function runsOf(shape: readonly number[], axes: readonly number[]): Run[] {
  const runs: Run[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const isKept = !axes.includes(axis);
    const last = runs.at(-1);
    if (last?.isKept === isKept) runs[runs.length - 1] = { size: last.size * size, isKept };
    else runs.push({ size, isKept });
  });
  return runs;
}

const normsIn = (runs: readonly Run[]): number =>
  runs.reduce((count, { size, isKept }) => (isKept ? count * size : count), 1);

/** Returns the norm that each number of a tensor belongs to. */
function normsAlong(runs: readonly Run[]): Int32Array {
  let norms = Int32Array.of(0);
  for (const { size, isKept } of runs) {
    const next = new Int32Array(norms.length * size);
    for (let i = 0, k = 0; i < norms.length; i++) {
      for (let j = 0; j < size; j++) next[k++] = isKept ? norms[i]! * size + j : norms[i]!;
    }
    norms = next;
  }
  return norms;
}

/** Rows as slices that have a norm each. */
export const asSegments = (layout: Rows | Segments): Segments =>
  layout.kind === 'segments'
    ? layout
    : {
        kind: 'segments',
        length: layout.length,
        norms: layout.count,
        normOf: Int32Array.from({ length: layout.count }, (_, i) => i),
      };
