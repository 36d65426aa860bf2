/** `A = U·diag(s)·Vᵀ` as rows of numbers, U with orthonormal columns but for those of singular values of zero. */
export interface Svd {
  readonly U: number[][];
  readonly s: number[];
  readonly V: number[][];
}

/** The singular values of a tall matrix in float64: Jacobi's rotations of pairs of columns until all are orthogonal. */
export function svd(A: readonly (readonly number[])[]): Svd {
  const k = A[0]!.length;
  const columns = Array.from({ length: k }, (_, j) => A.map((row) => row[j]!));
  const right = columns.map((_, j) => columns.map((_, i) => (i === j ? 1 : 0)));
  for (let [sweep, rotated] = [0, true]; rotated && sweep < 60; sweep++) {
    rotated = false;
    for (let p = 0; p < k; p++) {
      for (let q = p + 1; q < k; q++) {
        const [a, b, c] = [
          dot(columns[p]!, columns[p]!),
          dot(columns[q]!, columns[q]!),
          dot(columns[p]!, columns[q]!),
        ];
        if (Math.abs(c) <= 1e-15 * Math.sqrt(a * b) || c === 0) continue;
        rotated = true;
        const zeta = (b - a) / (2 * c);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        for (const vectors of [columns, right]) rotate(vectors[p]!, vectors[q]!, cosine, cosine * tangent);
      }
    }
  }
  const s = columns.map((column) => Math.hypot(...column));
  const transposed = (vectors: number[][]): number[][] =>
    vectors[0]!.map((_, i) => vectors.map((v) => v[i]!));
  const units = columns.map((column, j) => column.map((x) => (s[j] === 0 ? 0 : x / s[j]!)));
  return { U: transposed(units), s, V: transposed(right) };
}

/** `U·diag(f(s))·Vᵀ` */
export function withSingularValues({ U, s, V }: Svd, f: (s: number) => number): number[][] {
  const values = s.map(f);
  return U.map((u) => V.map((v) => values.reduce((sum, value, j) => sum + u[j]! * value * v[j]!, 0)));
}

function rotate(x: number[], y: number[], cosine: number, sine: number): void {
  x.forEach((a, i) => {
    const b = y[i]!;
    x[i] = cosine * a - sine * b;
    y[i] = sine * a + cosine * b;
  });
}

const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
