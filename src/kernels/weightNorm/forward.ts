import type { Workspace } from '../memory/workspace.ts';
import { allFit, areSumsOfSquares, finishForward, reduceColumns, scatterFactors } from './factors.ts';
import { asSegments, type Columns, type Layout, type Segments } from './layout.ts';

/** The tensors of a forward pass. */
export interface Forward<Tensor> {
  readonly g: Tensor;
  readonly v: Tensor;
  readonly W: Tensor;
  readonly norms: Tensor;
  readonly eps: number;
}

/** Computes `W = g·v / max(‖v‖, eps)` and the norms in a workspace. */
export function forward<Tensor>(space: Workspace<Tensor>, layout: Layout, tensors: Forward<Tensor>): void {
  if (layout.kind === 'columns') {
    for (let batch = 0; batch < layout.batches; batch++) forwardColumns(space, layout, batch, tensors);
  } else if (layout.kind === 'segments' || layout.length > space.longestRow) {
    forwardSegments(space, asSegments(layout), tensors);
  } else {
    const { g, v, W, norms, eps } = tensors;
    const { count, length } = layout;
    space.rows(
      { inputs: [v], output: W, ofEach: [g], outputOfEach: norms, count, length },
      ([v], W, [g], norms, size) => space.routines.forwardRows(g!, v!, W, norms, size, length, eps),
    );
  }
}

function forwardSegments<Tensor>(
  space: Workspace<Tensor>,
  { length, norms: count, normOf }: Segments,
  { g, v, W, norms, eps }: Forward<Tensor>,
): void {
  const { routines } = space;
  const factors = new Float64Array(count);
  normOf.forEach((norm, i) => {
    space.pieces([v], null, i * length, length, 1, ([v], _, size) => {
      factors[norm]! += routines.squares(v!, size);
    });
  });
  finishForward(factors, space.numbers(g), space.numbers(norms), 0, eps);
  normOf.forEach((norm, i) => {
    space.pieces([v], W, i * length, length, 1, ([v], W, size) =>
      routines.scale(v!, W, size, factors[norm]!),
    );
  });
}

/**
 * Computes the usual case: each column has its own norm, and float32 holds all factors.
 *
 * @param scratch - the address of 8 bytes, all 0, for each column
 * @returns false in any other case; the results are unusable then
 */
function forwardOwnColumns<Tensor>(
  space: Workspace<Tensor>,
  { size: all, width, norms: count }: Columns,
  batch: number,
  { g, v, W, norms, eps }: Forward<Tensor>,
  scratch: number,
): boolean {
  if (width !== count) return false;
  const { routines } = space;
  space.pieces([v], null, batch * all, all, width, ([v], _, size) =>
    routines.addSquares(v!, scratch, size, width),
  );
  let finished = 0;
  space.pieces([g], norms, batch * count, count, 1, ([g], norms, size) => {
    const [sums, factors] = [scratch + 8 * finished, scratch + 4 * finished];
    const isOrdinary = routines.finishForward(sums, factors, g!, norms, size, all / width, eps) !== 0;
    finished += isOrdinary ? size : Number.NaN;
  });
  if (finished !== count) return false;
  space.pieces([v], W, batch * all, all, width, ([v], W, size) =>
    routines.scaleColumns(v!, W, scratch, size, width),
  );
  return true;
}

function forwardColumns<Tensor>(
  space: Workspace<Tensor>,
  layout: Columns,
  batch: number,
  tensors: Forward<Tensor>,
): void {
  const { routines } = space;
  const { size: all, width, norms: count, normOf } = layout;
  const { g, v, W, norms, eps } = tensors;
  const start = batch * all;
  space.withScratch(16 * width, width, (scratch) => {
    if (forwardOwnColumns(space, layout, batch, tensors, scratch)) return;
    const columns = new Float64Array(space.memory.buffer, scratch, width);
    const factors = new Float64Array(count);
    columns.fill(0);
    space.pieces([v], null, start, all, width, ([v], _, size) =>
      routines.addSquares(v!, scratch, size, width),
    );
    reduceColumns(columns, normOf, factors);
    if (!areSumsOfSquares(factors, all / count)) {
      columns.fill(0);
      space.pieces([v], null, start, all, width, ([v], _, size) =>
        routines.addProductsInFloat64(v!, v!, scratch, size, width),
      );
      reduceColumns(columns, normOf, factors.fill(0));
    }
    finishForward(factors, space.numbers(g), space.numbers(norms), batch * count, eps);

    const inFloat32 = allFit(factors);
    const address = scratch + 8 * width;
    scatterFactors(factors, normOf, space.memory, address, inFloat32);
    const scale = inFloat32 ? routines.scaleColumns : routines.scaleColumnsInFloat64;
    space.pieces([v], W, start, all, width, ([v], W, size) => scale(v!, W, address, size, width));
  });
}
