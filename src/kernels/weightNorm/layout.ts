/** One slice after the other, each with its own norm. The kept axes come first, or there is one slice. */
export interface Rows {
  readonly kind: 'rows';
  readonly count: number;
  readonly length: number;
}

/**
 * Columns of numbers with a sum for each. Several columns may belong to one norm. The kept axes come last, or slices
 * are short.
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

/** Long slices. Several may belong to one norm. The kept axes are in the middle. */
export interface Segments {
  readonly kind: 'segments';
  readonly length: number;
  /** The number of norms. */
  readonly norms: number;
  /** The norm that each slice belongs to. */
  readonly normOf: Int32Array;
}

/** The memory positions of the numbers of each norm. */
export type Layout = Rows | Columns | Segments;

/** Slices of at least this length are summed one by one, shorter ones column by column. */
const SEGMENT = 256;

/** Rows that are shorter are joined, so that SIMD has four numbers to work on. */
const WIDTH = 64;

/** Neighbouring axes that are either all kept or all summed over. */
export interface Run {
  readonly size: number;
  readonly isKept: boolean;
}

/** Computed layouts. A model uses the same layouts again and again. */
const known = new Map<string, Layout>();

/** The maximum number of remembered layouts. */
const MOST_KNOWN = 200;

/** Returns the layout of a tensor with a norm over some axes. */
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

/** Returns the runs of a tensor with a norm over some axes. Axes of size 1 are in no run. */
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

/** Returns rows as segments with one norm each. */
export const asSegments = (layout: Rows | Segments): Segments =>
  layout.kind === 'segments'
    ? layout
    : {
        kind: 'segments',
        length: layout.length,
        norms: layout.count,
        normOf: Int32Array.from({ length: layout.count }, (_, i) => i),
      };
