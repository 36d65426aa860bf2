import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Layout, layoutOf } from '../../../src/kernels/weightNorm/layout.ts';
import { problems } from './problems.ts';

/** Which norm each number of a tensor belongs to, as the layout says. */
function normOfEach(layout: Layout, size: number): number[] {
  if (layout.kind === 'rows') return Array.from({ length: size }, (_, i) => Math.floor(i / layout.length));
  if (layout.kind === 'segments') {
    return Array.from({ length: size }, (_, i) => layout.normOf[Math.floor(i / layout.length)]!);
  }
  return Array.from({ length: size }, (_, i) => {
    const batch = Math.floor(i / layout.size);
    return batch * layout.norms + layout.normOf[(i % layout.size) % layout.width]!;
  });
}

/** The same from the definition: the coordinates along the kept axes, as one number. */
function expected(shape: readonly number[], axes: readonly number[]): number[] {
  const size = shape.reduce((product, length) => product * length, 1);
  return Array.from({ length: size }, (_, index) => {
    let rest = index;
    const coordinates = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      coordinates[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return coordinates.reduce((norm, x, axis) => (axes.includes(axis) ? norm : norm * shape[axis]! + x), 0);
  });
}

describe('the layout of a tensor', () => {
  it('knows the norm of each number, for all shapes and axes', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(problems, ({ shape, axes }) => {
        const layout = layoutOf(shape, axes);
        kinds.add(layout.kind);
        const wanted = expected(shape, axes);
        expect(normOfEach(layout, wanted.length)).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
    expect([...kinds].sort()).toEqual(['columns', 'rows', 'segments']);
  });

  it.each<[string, number[], number[], Layout['kind']]>([
    ['the first axis kept', [4, 3, 5], [1, 2], 'rows'],
    ['the last axis kept', [4, 3, 5], [0, 1], 'columns'],
    ['a middle axis kept, short slices', [4, 3, 5], [0, 2], 'columns'],
    ['a middle axis kept, long slices', [4, 3, 500], [0, 2], 'segments'],
    ['the first and the last axis kept', [4, 3, 5], [1], 'columns'],
    ['the first and a middle axis kept', [4, 3, 5, 500], [1, 3], 'segments'],
    ['no axis kept', [4, 3, 5], [0, 1, 2], 'rows'],
    ['all axes kept', [4, 3, 5], [], 'rows'],
    ['a scalar', [], [], 'rows'],
    ['axes of size 1 everywhere', [1, 4, 1, 3, 1], [0, 3, 4], 'rows'],
  ])('of %s is found', (_, shape, axes, kind) => {
    expect(layoutOf(shape, axes).kind).toBe(kind);
  });

  it('joins short rows of columns, so that there are at least 64 where there are enough', () => {
    expect(layoutOf([1000, 3], [0])).toMatchObject({ width: 66, norms: 3, size: 3000 });
    expect(layoutOf([5, 3], [0])).toMatchObject({ width: 15, norms: 3, size: 15 });
    expect(layoutOf([10, 100], [0])).toMatchObject({ width: 100, norms: 100, size: 1000 });
  });
});
