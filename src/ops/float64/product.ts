/**
 * Returns the product of two matrices in float64.
 *
 * @param A - rows one after the other, [m, k]
 * @param B - rows one after the other, [k, n]
 * @returns AB, [m, n]
 */
export function product(A: Float64Array, B: Float64Array, m: number, k: number, n: number): Float64Array {
  const C = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const factor = A[i * k + l]!;
      for (let j = 0; j < n; j++) C[i * n + j]! += factor * B[l * n + j]!;
    }
  }
  return C;
}

/**
 * Returns the products of all pairs of columns, `AᵀA`, in float64.
 *
 * @param A - rows one after the other, [m, n]
 * @returns a symmetric matrix, [n, n]
 */
export const gram = (A: Float64Array, m: number, n: number): Float64Array =>
  product(transposed(A, m, n), A, n, m, n);

/** Returns Aᵀ, [n, m], of A, [m, n]. */
export function transposed(A: Float64Array, m: number, n: number): Float64Array {
  const T = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) T[j * m + i] = A[i * n + j]!;
  return T;
}
