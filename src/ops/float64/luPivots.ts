/** The pivots of an LU decomposition, and the determinant that is their product. */
export interface LuPivots {
  /** The smallest magnitude of a pivot; 0 if the matrix is singular. */
  readonly smallest: number;
  /** The logarithm of the magnitude of the determinant; −∞ if the matrix is singular. */
  readonly logDeterminant: number;
  /** The sign of the determinant: 1, −1, or 0 if the matrix is singular. */
  readonly sign: number;
}

/**
 * Computes the pivots of a square matrix by Gaussian elimination with row pivoting, in float64.
 *
 * @param A - rows one after the other, [n, n]
 */
export function luPivots(A: Float64Array, n: number): LuPivots {
  const rows = Array.from({ length: n }, (_, i) => A.slice(i * n, (i + 1) * n));
  let [smallest, logDeterminant, sign] = [Number.POSITIVE_INFINITY, 0, 1];
  for (let j = 0; j < n; j++) {
    let largest = j;
    for (let i = j + 1; i < n; i++) {
      if (Math.abs(rows[i]![j]!) > Math.abs(rows[largest]![j]!)) largest = i;
    }
    if (largest !== j) {
      [rows[j], rows[largest]] = [rows[largest]!, rows[j]!];
      sign = -sign;
    }
    const pivotRow = rows[j]!;
    const pivot = pivotRow[j]!;
    if (pivot === 0) return { smallest: 0, logDeterminant: Number.NEGATIVE_INFINITY, sign: 0 };
    if (pivot < 0) sign = -sign;
    smallest = Math.min(smallest, Math.abs(pivot));
    logDeterminant += Math.log(Math.abs(pivot));
    for (const row of rows.slice(j + 1)) {
      const factor = row[j]! / pivot;
      for (let k = j + 1; k < n; k++) row[k]! -= factor * pivotRow[k]!;
    }
  }
  return { smallest, logDeterminant, sign };
}
