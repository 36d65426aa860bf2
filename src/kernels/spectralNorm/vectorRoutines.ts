import type { Numbers } from '../../engine/cpuStorage.ts';
import type { Routines } from '../weightNorm/routines.ts';

/** What is done with n numbers at once; a place is where the numbers of a tensor begin, an offset counts numbers. */
export interface VectorRoutines<Place> {
  /** `Σ x·y`, summed in float64. */
  dot(x: Place, xOffset: number, y: Place, yOffset: number, n: number): number;
  /** `out = a·(x − c·y)`; out may be x. */
  combine(
    x: Place,
    xOffset: number,
    y: Place,
    yOffset: number,
    out: Place,
    outOffset: number,
    n: number,
    a: number,
    c: number,
  ): void;
  /** `out = s·x` */
  scale(x: Place, out: Place, n: number, s: number): void;
}

/** With SIMD, in the memory of the routines; places are addresses. */
export const simdVectors = ({ products, combine, scale }: Routines): VectorRoutines<number> => ({
  // The norm of 0 has sums of 0 computed again in float64: of small numbers they may not be right.
  dot: (x, xOffset, y, yOffset, n) => products(x + 4 * xOffset, y + 4 * yOffset, n, 0),
  combine: (x, xOffset, y, yOffset, out, outOffset, n, a, c) =>
    combine(x + 4 * xOffset, y + 4 * yOffset, out + 4 * outOffset, n, a, c),
  scale: (x, out, n, s) => scale(x, out, n, s),
});

/** In plain JavaScript; places are arrays. */
export const plainVectors: VectorRoutines<Numbers> = {
  dot(x, xOffset, y, yOffset, n) {
    // Four sums at once: one would wait for itself.
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = 0;
    for (; i + 3 < n; i += 4) {
      const [p, q] = [xOffset + i, yOffset + i];
      a += x[p]! * y[q]!;
      b += x[p + 1]! * y[q + 1]!;
      c += x[p + 2]! * y[q + 2]!;
      d += x[p + 3]! * y[q + 3]!;
    }
    for (; i < n; i++) a += x[xOffset + i]! * y[yOffset + i]!;
    return a + b + (c + d);
  },
  combine(x, xOffset, y, yOffset, out, outOffset, n, a, c) {
    for (let i = 0; i < n; i++) out[outOffset + i] = a * (x[xOffset + i]! - c * y[yOffset + i]!);
  },
  scale(x, out, n, s) {
    for (let i = 0; i < n; i++) out[i] = s * x[i]!;
  },
};
