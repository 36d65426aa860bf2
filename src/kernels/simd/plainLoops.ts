import type { Numbers } from '../../engine/cpuStorage.ts';

// Loops over arrays in plain JavaScript. They compute in float64, so no intermediate sum overflows or underflows.

/** `Σ x·y` of n numbers, from an offset on each. */
export function dotOf(x: Numbers, xOffset: number, y: Numbers, yOffset: number, n: number): number {
  // Eight independent sums, because each addition waits for the previous one of its sum.
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  let p = xOffset;
  let q = yOffset;
  const end = xOffset + n;
  for (const last = end - 7; p < last; p += 8, q += 8) {
    a += x[p]! * y[q]!;
    b += x[p + 1]! * y[q + 1]!;
    c += x[p + 2]! * y[q + 2]!;
    d += x[p + 3]! * y[q + 3]!;
    e += x[p + 4]! * y[q + 4]!;
    f += x[p + 5]! * y[q + 5]!;
    g += x[p + 6]! * y[q + 6]!;
    h += x[p + 7]! * y[q + 7]!;
  }
  for (; p < end; p++, q++) a += x[p]! * y[q]!;
  return a + b + (c + d) + (e + f + (g + h));
}

/** `out = s·x` of n numbers, from the same offset on. */
export function scaleOf(x: Numbers, out: Numbers, offset: number, n: number, s: number): void {
  for (let i = offset; i < offset + n; i++) out[i] = x[i]! * s;
}

/** `out = a·(x − c·y)` of n numbers, from an offset on each; out may be x. */
export function combineOf(
  x: Numbers,
  xOffset: number,
  y: Numbers,
  yOffset: number,
  out: Numbers,
  outOffset: number,
  n: number,
  a: number,
  c: number,
): void {
  for (let i = 0; i < n; i++) out[outOffset + i] = a * (x[xOffset + i]! - c * y[yOffset + i]!);
}
