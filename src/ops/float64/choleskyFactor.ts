/**
 * Computes the Cholesky factor L of a symmetric matrix in float64: `A = LLᵀ`, L lower triangular with a positive
 * diagonal. Only the lower triangle of A is used.
 *
 * @param A - rows one after the other, [n, n]
 * @returns L, [n, n]; null if A is not positive definite or has numbers that are not finite
 */
export function choleskyFactor(A: Float64Array, n: number): Float64Array | null {
  const L = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = A[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= L[i * n + k]! * L[j * n + k]!;
      if (i === j && !(sum > 0 && sum < Number.POSITIVE_INFINITY)) return null;
      L[i * n + j] = i === j ? Math.sqrt(sum) : sum / L[j * n + j]!;
    }
  }
  return L;
}
