import { combineOf, dotOf, scaleOf } from '../simd/plainLoops.ts';
import type { Routines } from '../simd/routines.ts';
import { allFit, areNormsExact, exactNorms, finishBackward, finishForward } from './factors.ts';

/** Numbers that are written and read as float32. */
type Floats = Float32Array;

/**
 * Makes the routines in plain JavaScript, for hosts where WebAssembly is not allowed or has no SIMD.
 *
 * JavaScript computes in float64, so no sum has to be computed again.
 */
export function plainRoutines(memory: { readonly buffer: ArrayBufferLike }): Routines {
  const floats = (address: number, length: number) => new Float32Array(memory.buffer, address, length);
  const doubles = (address: number, length: number) => new Float64Array(memory.buffer, address, length);
  return {
    forwardRows(g, v, w, norms, count, length, eps) {
      const vs = floats(v, count * length);
      const factors = Float64Array.from({ length: count }, (_, i) => productsOf(vs, vs, i * length, length));
      finishForward(factors, floats(g, count), floats(norms, count), 0, eps);
      const ws = floats(w, count * length);
      factors.forEach((s, i) => {
        scaleOf(vs, ws, i * length, length, s);
      });
    },
    backwardRows(dW, g, v, norms, dg, dv, count, length, eps) {
      const [dWs, vs, dvs] = [dW, v, dv].map((address) => floats(address, count * length)) as Floats[];
      const sum = (sums: Float64Array, u: Floats) =>
        sums.forEach((_, i) => {
          sums[i] = productsOf(u, vs!, i * length, length);
        });
      const exact = exactNorms(floats(norms, count), 0, count, (squares) => sum(squares, vs!));
      const a = new Float64Array(count);
      sum(a, dWs!);
      const c = finishBackward(a, floats(g, count), exact, floats(dg, count), 0, eps);
      a.forEach((factor, i) => {
        const at = i * length;
        combineOf(dWs!, at, vs!, at, dvs!, at, length, factor, c[i]!);
      });
    },
    squares: (v, n) => productsOf(floats(v, n), floats(v, n), 0, n),
    products: (u, v, n) => productsOf(floats(u, n), floats(v, n), 0, n),
    scale: (v, w, n, s) => scaleOf(floats(v, n), floats(w, n), 0, n, s),
    combine: (dW, v, dv, n, a, c) => combineOf(floats(dW, n), 0, floats(v, n), 0, floats(dv, n), 0, n, a, c),
    addSquares: (v, sums, size, width) =>
      addProductsOf(floats(v, size), floats(v, size), doubles(sums, width)),
    addProducts: (u, v, sums, _, size, width) =>
      addProductsOf(floats(u, size), floats(v, size), doubles(sums, width)),
    addProductsInFloat64: (u, v, sums, size, width) =>
      addProductsOf(floats(u, size), floats(v, size), doubles(sums, width)),
    finishForward(sums, factors, g, norms, count, _, eps) {
      const s = doubles(sums, count);
      finishForward(s, floats(g, count), floats(norms, count), 0, eps);
      if (!allFit(s)) return 0;
      floats(factors, count).set(s);
      return 1;
    },
    finishBackward(sums, a, c, g, norms, dg, count, _, eps) {
      const exact = Float64Array.from(floats(norms, count));
      if (!areNormsExact(exact)) return 0;
      const s = doubles(sums, count);
      const cs = finishBackward(s, floats(g, count), exact, floats(dg, count), 0, eps);
      if (!allFit(s) || !allFit(cs)) return 0;
      floats(a, count).set(s);
      floats(c, count).set(cs);
      return 1;
    },
    scaleColumns: (v, w, s, size, width) =>
      scaleColumnsOf(floats(v, size), floats(w, size), floats(s, width)),
    scaleColumnsInFloat64: (v, w, s, size, width) =>
      scaleColumnsOf(floats(v, size), floats(w, size), doubles(s, width)),
    combineColumns: (dW, v, dv, a, c, size, width) =>
      combineColumnsOf(
        floats(dW, size),
        floats(v, size),
        floats(dv, size),
        floats(a, width),
        floats(c, width),
      ),
    combineColumnsInFloat64: (dW, v, dv, a, c, size, width) =>
      combineColumnsOf(
        floats(dW, size),
        floats(v, size),
        floats(dv, size),
        doubles(a, width),
        doubles(c, width),
      ),
  };
}

const productsOf = (u: Floats, v: Floats, offset: number, n: number): number =>
  dotOf(u, offset, v, offset, n);

function addProductsOf(u: Floats, v: Floats, sums: Float64Array): void {
  for (let start = 0; start < u.length; start += sums.length) {
    const n = Math.min(sums.length, u.length - start);
    for (let i = 0; i < n; i++) sums[i]! += u[start + i]! * v[start + i]!;
  }
}

function scaleColumnsOf(v: Floats, w: Floats, s: Floats | Float64Array): void {
  for (let start = 0; start < v.length; start += s.length) {
    const n = Math.min(s.length, v.length - start);
    for (let i = 0; i < n; i++) w[start + i] = v[start + i]! * s[i]!;
  }
}

function combineColumnsOf(
  dW: Floats,
  v: Floats,
  dv: Floats,
  a: Floats | Float64Array,
  c: Floats | Float64Array,
): void {
  for (let start = 0; start < v.length; start += a.length) {
    const n = Math.min(a.length, v.length - start);
    for (let i = 0; i < n; i++) {
      const j = start + i;
      dv[j] = a[i]! * (dW[j]! - c[i]! * v[j]!);
    }
  }
}
