import type { Numbers } from '../../engine/cpuStorage.ts';
import { combineOf, dotOf, scaleOf } from './plainLoops.ts';
import type { Routines } from './routines.ts';

/**
 * Operations on n numbers of a tensor. A location says where the numbers of the tensor begin; an offset counts numbers.
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

/** Makes the operations with SIMD in the memory of the routines. Locations are addresses. */
export const simdVectors = ({ products, combine, scale }: Routines): VectorRoutines<number> => ({
  // With a norm of 0, a sum of 0 is computed again in float64, because it may be wrong for small numbers.
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
