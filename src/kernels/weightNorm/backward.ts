import type { Workspace } from '../memory/workspace.ts';
import {
  allFit,
  areSumsOfProducts,
  exactNorms,
  finishBackward,
  reduceColumns,
  scatterFactors,
} from './factors.ts';
import { asSegments, type Columns, type Layout, type Segments } from './layout.ts';

/** The tensors of a backward pass. */
export interface Backward<Tensor> {
  readonly dW: Tensor;
  readonly g: Tensor;
  readonly v: Tensor;
  readonly norms: Tensor;
  readonly dg: Tensor;
  readonly dv: Tensor;
  readonly eps: number;
}

/** Computes `dg = Σ dW·u` and `dv = g/‖v‖·(dW − u·dg)` in a workspace. */
export function backward<Tensor>(space: Workspace<Tensor>, layout: Layout, tensors: Backward<Tensor>): void {
  if (layout.kind === 'columns') {
    for (let batch = 0; batch < layout.batches; batch++) backwardColumns(space, layout, batch, tensors);
  } else if (layout.kind === 'segments' || layout.length > space.longestRow) {
    backwardSegments(space, asSegments(layout), tensors);
  } else {
    const { dW, g, v, norms, dg, dv, eps } = tensors;
    const { count, length } = layout;
    space.rows(
      { inputs: [dW, v], output: dv, ofEach: [g, norms], outputOfEach: dg, count, length },
      ([dW, v], dv, [g, norms], dg, size) =>
        space.routines.backwardRows(dW!, g!, v!, norms!, dg, dv, size, length, eps),
    );
  }
}

function backwardSegments<Tensor>(
  space: Workspace<Tensor>,
  { length, norms: count, normOf }: Segments,
  { dW, g, v, norms, dg, dv, eps }: Backward<Tensor>,
): void {
  const { routines } = space;
  const exact = exactNorms(space.numbers(norms), 0, count, (squares) => {
    normOf.forEach((norm, i) => {
      space.pieces([v], null, i * length, length, 1, ([v], _, size) => {
        squares[norm]! += routines.squares(v!, size);
      });
    });
  });
  const a = new Float64Array(count);
  normOf.forEach((norm, i) => {
    space.pieces([dW, v], null, i * length, length, 1, ([dW, v], _, size) => {
      a[norm]! += routines.products(dW!, v!, size, exact[norm]!);
    });
  });
  const c = finishBackward(a, space.numbers(g), exact, space.numbers(dg), 0, eps);
  normOf.forEach((norm, i) => {
    space.pieces([dW, v], dv, i * length, length, 1, ([dW, v], dv, size) =>
      routines.combine(dW!, v!, dv, size, a[norm]!, c[norm]!),
    );
  });
}

/**
 * Computes the usual case: each column has its own norm, and float32 holds all norms and factors.
 *
 * @param scratch - the address of 12 bytes, all 0, for each column
 * @returns false in any other case; the results are unusable then
 */
function backwardOwnColumns<Tensor>(
  space: Workspace<Tensor>,
  { size: all, width, norms: count }: Columns,
  batch: number,
  { dW, g, v, norms, dg, dv, eps }: Backward<Tensor>,
  scratch: number,
): boolean {
  if (width !== count) return false;
  const { routines } = space;
  const [aAt, cAt] = [scratch, scratch + 8 * width];
  space.pieces([dW, v], null, batch * all, all, width, ([dW, v], _, size) =>
    routines.addProducts(dW!, v!, scratch, cAt, size, width),
  );
  let finished = 0;
  space.pieces([g, norms], dg, batch * count, count, 1, ([g, norms], dg, size) => {
    const [sums, a, c] = [scratch + 8 * finished, aAt + 4 * finished, cAt + 4 * finished];
    const isOrdinary = routines.finishBackward(sums, a, c, g!, norms!, dg, size, all / width, eps) !== 0;
    finished += isOrdinary ? size : Number.NaN;
  });
  if (finished !== count) return false;
  space.pieces([dW, v], dv, batch * all, all, width, ([dW, v], dv, size) =>
    routines.combineColumns(dW!, v!, dv, aAt, cAt, size, width),
  );
  return true;
}

function backwardColumns<Tensor>(
  space: Workspace<Tensor>,
  layout: Columns,
  batch: number,
  tensors: Backward<Tensor>,
): void {
  const { routines } = space;
  const { size: all, width, norms: count, normOf } = layout;
  const { dW, g, v, norms, dg, dv, eps } = tensors;
  const start = batch * all;
  space.withScratch(24 * width, width, (scratch) => {
    if (backwardOwnColumns(space, layout, batch, tensors, scratch)) return;
    const columns = new Float64Array(space.memory.buffer, scratch, width);
    const aAt = scratch + 8 * width;
    const cAt = scratch + 16 * width;
    const exact = exactNorms(space.numbers(norms), batch * count, count, (squares) => {
      columns.fill(0);
      space.pieces([v], null, start, all, width, ([v], _, size) =>
        routines.addProductsInFloat64(v!, v!, scratch, size, width),
      );
      reduceColumns(columns, normOf, squares);
    });

    const a = new Float64Array(count);
    columns.fill(0);
    space.pieces([dW, v], null, start, all, width, ([dW, v], _, size) =>
      routines.addProducts(dW!, v!, scratch, aAt, size, width),
    );
    reduceColumns(columns, normOf, a);
    if (!areSumsOfProducts(a, all / count, exact)) {
      columns.fill(0);
      space.pieces([dW, v], null, start, all, width, ([dW, v], _, size) =>
        routines.addProductsInFloat64(dW!, v!, scratch, size, width),
      );
      reduceColumns(columns, normOf, a.fill(0));
    }
    const c = finishBackward(a, space.numbers(g), exact, space.numbers(dg), batch * count, eps);

    const inFloat32 = allFit(a) && allFit(c);
    scatterFactors(a, normOf, space.memory, aAt, inFloat32);
    scatterFactors(c, normOf, space.memory, cAt, inFloat32);
    const combine = inFloat32 ? routines.combineColumns : routines.combineColumnsInFloat64;
    space.pieces([dW, v], dv, start, all, width, ([dW, v], dv, size) =>
      combine(dW!, v!, dv, aAt, cAt, size, width),
    );
  });
}
