import { invertNumbers } from './invertNumbers.ts';
import { product, transposed } from './product.ts';

/** The largest number of steps. Each doubles the number of terms. */
const STEPS = 60;

/**
 * Solves the Lyapunov equation `AᵀP + PA = −C` in float64 for a stable A: all eigenvalues have negative real parts. The
 * method is that of `smith`.
 *
 * @param A - rows one after the other, [n, n]
 * @param C - a symmetric matrix, likewise
 * @returns P, symmetric; null if the terms of its sum do not vanish: A is not stable, or is so to rounding only
 */
export function smithSolve(A: Float64Array, C: Float64Array, n: number): Float64Array | null {
  const s = Math.sqrt(A.reduce((sum, x) => sum + x * x, 0) / n);
  if (!(s > 0 && s < Number.POSITIVE_INFINITY)) return null;
  const shifted = (sign: number): Float64Array =>
    A.map((x, index) => sign * x + (index % (n + 1) === 0 ? s : 0));
  const M = invertNumbers(shifted(-1), n);
  if (M === null) return null;
  const multiply = (a: Float64Array, b: Float64Array): Float64Array => product(a, b, n, n, n);
  const between = (X: Float64Array, P: Float64Array): Float64Array =>
    multiply(multiply(transposed(X, n, n), P), X);
  let E = multiply(shifted(1), M);
  let P = between(M, C).map((x) => 2 * s * x);
  for (let step = 0; step < STEPS; step++) {
    const term = between(E, P);
    P = P.map((x, i) => x + term[i]!);
    const size = largest(P);
    if (!Number.isFinite(size)) return null;
    if (largest(term) <= 1e-14 * size) return P.map((x, i) => (x + P[(i % n) * n + Math.floor(i / n)]!) / 2);
    E = multiply(E, E);
  }
  return null;
}

/** The largest magnitude; NaN if there is one. */
const largest = (numbers: Float64Array): number =>
  numbers.reduce((most, x) => (Number.isNaN(x) ? x : Math.max(most, Math.abs(x))), 0);
