/** Sweeps over all pairs; six are usual. */
const mostSweeps = 30;

/**
 * The largest singular value of a matrix in float64, by one-sided Jacobi rotations: pairs of columns are turned until
 * all are orthogonal. Their lengths are the singular values then.
 *
 * @param columns - the columns of the matrix
 */
export function largestSingularValue(columns: readonly (readonly number[])[]): number {
  const turned = columns.map((column) => Float64Array.from(column));
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    const turns = turned.flatMap((a, i) => turned.slice(i + 1).map((b) => turn(a, b)));
    if (!turns.includes(true)) break;
  }
  return Math.sqrt(Math.max(...turned.map((column) => dot(column, column))));
}

/** Makes two columns orthogonal; false if they are. */
function turn(a: Float64Array, b: Float64Array): boolean {
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
  if (Math.abs(ab) <= 1e-12 * Math.sqrt(aa * bb)) return false;
  const zeta = (bb - aa) / (2 * ab);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  for (const [i, value] of a.entries()) {
    const other = b[i]!;
    a[i] = cosine * (value - tangent * other);
    b[i] = cosine * (tangent * value + other);
  }
  return true;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
