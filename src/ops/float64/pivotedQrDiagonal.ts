/**
 * Returns the magnitudes on the diagonal of R in a QR decomposition with column pivoting, in float64. They do not
 * increase, and show the rank: the number of them that are above rounding.
 *
 * Each step takes the column that is longest in the remaining rows, and reflects it to their first axis.
 *
 * @param A - rows one after the other, [m, n]
 * @returns min(m, n) numbers
 */
export function pivotedQrDiagonal(A: Float64Array, m: number, n: number): Float64Array {
  const columns = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: m }, (_, i) => A[i * n + j]!),
  );
  const diagonal = new Float64Array(Math.min(m, n));
  for (let step = 0; step < diagonal.length; step++) {
    const rest = columns.map((column) => column.subarray(step));
    const squares = rest.map((x) => dot(x, x));
    const pivot = squares.reduce((best, square, j) => (square > squares[best]! ? j : best), 0);
    const x = rest[pivot]!;
    const length = Math.sqrt(squares[pivot]!);
    diagonal[step] = length;
    if (length === 0) break;
    columns.splice(pivot, 1);
    // The sign avoids cancellation.
    x[0]! += x[0]! < 0 ? -length : length;
    const half = dot(x, x) / 2;
    for (const column of columns) {
      const y = column.subarray(step);
      const factor = dot(x, y) / half;
      for (let i = 0; i < y.length; i++) y[i]! -= factor * x[i]!;
    }
  }
  return diagonal;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
