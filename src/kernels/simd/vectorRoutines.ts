import type { Numbers } from '../../engine/cpuStorage.ts';
import { combineOf, dotOf, scaleOf } from './plainLoops.ts';
import type { Routines } from './routines.ts';

/**
 * Operations on n numbers of a tensor; a location is where the numbers of the tensor begin, and an offset counts
 * numbers.
 */
export interface VectorRoutines<Location> {
  /** `Σ x·y`, summed in float64. */
  dot(x: Location, xOffset: number, y: Location, yOffset: number, n: number): number;
  /** `out = a·(x − c·y)`; out may be x. */
  combine(
    x: Location,
    xOffset: number,
    y: Location,
    yOffset: number,
    out: Location,
    outOffset: number,
    n: number,
    a: number,
    c: number,
  ): void;
  /** `out = s·x` */
  scale(x: Location, out: Location, n: number, s: number): void;
}

/** The operations with SIMD, in the memory of the routines; locations are addresses. */
export const simdVectors = ({ products, combine, scale }: Routines): VectorRoutines<number> => ({
  // The norm of 0 has sums of 0 computed again in float64: of small numbers they may not be right.
  dot: (x, xOffset, y, yOffset, n) => products(x + 4 * xOffset, y + 4 * yOffset, n, 0),
  combine: (x, xOffset, y, yOffset, out, outOffset, n, a, c) =>
    combine(x + 4 * xOffset, y + 4 * yOffset, out + 4 * outOffset, n, a, c),
  scale: (x, out, n, s) => scale(x, out, n, s),
});

/** The operations in plain JavaScript; locations are arrays. */
export const plainVectors: VectorRoutines<Numbers> = {
  dot: dotOf,
  combine: combineOf,
  scale: (x, out, n, s) => scaleOf(x, out, 0, n, s),
};
