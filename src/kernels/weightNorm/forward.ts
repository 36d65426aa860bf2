import { addUp, allFit, areSumsOfSquares, finishForward, handOut } from './factors.ts';
import { asSegments, type Columns, type Layout, type Segments } from './layout.ts';
import type { Workspace } from './workspace.ts';

/** The tensors of a forward pass. */
export interface Forward<Tensor> {
  readonly g: Tensor;
  readonly v: Tensor;
  readonly W: Tensor;
  readonly norms: Tensor;
  readonly eps: number;
}

/** `W = g·v / max(‖v‖, eps)` and the norms, in a workspace. */
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

function forwardColumns<Tensor>(
  space: Workspace<Tensor>,
  { size: all, width, norms: count, normOf }: Columns,
  batch: number,
  { g, v, W, norms, eps }: Forward<Tensor>,
): void {
  const { routines } = space;
  const start = batch * all;
  space.withScratch(16 * width, width, (scratch) => {
    const columns = new Float64Array(space.memory.buffer, scratch, width);
    const sum = (add: (v: number, sums: number, size: number, width: number) => void): Float64Array => {
      const sums = new Float64Array(count);
      columns.fill(0);
      space.pieces([v], null, start, all, width, ([v], _, size) => add(v!, scratch, size, width));
      addUp(columns, normOf, sums);
      return sums;
    };
    let factors = sum(routines.addSquares);
    if (!areSumsOfSquares(factors, all / count)) factors = sum(routines.addSquaresInFloat64);
    finishForward(factors, space.numbers(g), space.numbers(norms), batch * count, eps);

    const inFloat32 = allFit(factors);
    const address = scratch + 8 * width;
    handOut(factors, normOf, space.memory, address, inFloat32);
    const scale = inFloat32 ? routines.scaleColumns : routines.scaleColumnsInFloat64;
    space.pieces([v], W, start, all, width, ([v], W, size) => scale(v!, W, address, size, width));
  });
}
