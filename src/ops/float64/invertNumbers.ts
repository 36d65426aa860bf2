/**
 * Inverts a square matrix by Gauss-Jordan elimination with row pivoting, in float64.
 *
 * @param A - rows one after the other, [n, n]
 * @returns the inverse, [n, n]; null if a pivot is zero or not finite
 */
export function invertNumbers(A: Float64Array, n: number): Float64Array | null {
  // Each eliminated column gives its place to a column of the inverse.
  const rows = Array.from({ length: n }, (_, i) => A.slice(i * n, (i + 1) * n));
  const order = rows.map((_, i) => i);
  for (let j = 0; j < n; j++) {
    let largest = j;
    for (let i = j + 1; i < n; i++) {
      if (Math.abs(rows[i]![j]!) > Math.abs(rows[largest]![j]!)) largest = i;
    }
    [rows[j], rows[largest]] = [rows[largest]!, rows[j]!];
    [order[j], order[largest]] = [order[largest]!, order[j]!];
    const pivotRow = rows[j]!;
    const pivot = pivotRow[j]!;
    if (pivot === 0 || !Number.isFinite(pivot)) return null;
    pivotRow[j] = 1;
    for (let k = 0; k < n; k++) pivotRow[k]! /= pivot;
    for (const row of rows) {
      if (row === pivotRow) continue;
      const factor = row[j]!;
      row[j] = 0;
      for (let k = 0; k < n; k++) row[k]! -= factor * pivotRow[k]!;
    }
  }
  // Column j belongs to the row that was pivot j.
  const inverse = new Float64Array(n * n);
  for (const [i, row] of rows.entries()) {
    for (const [j, column] of order.entries()) inverse[i * n + column] = row[j]!;
  }
  return inverse;
}
