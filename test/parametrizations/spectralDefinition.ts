// Spectral normalization in float64, from its definition, to compare with.

/** Which element of a row-major tensor stands where in the matrix whose rows are its slices along `dim`. */
function indicesOf(shape: readonly number[], dim: number): number[][] {
  const size = shape.reduce((product, length) => product * length, 1);
  const stride = shape.slice(dim + 1).reduce((product, length) => product * length, 1);
  const rows: number[][] = Array.from({ length: shape[dim]! }, () => []);
  for (let i = 0; i < size; i++) rows[Math.floor(i / stride) % shape[dim]!]!.push(i);
  return rows;
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);

const unit = (x: readonly number[]): number[] => x.map((value) => value / Math.sqrt(dot(x, x)));

const transpose = (matrix: readonly (readonly number[])[]): number[][] =>
  matrix[0]!.map((_, j) => matrix.map((row) => row[j]!));

/** The singular values of a matrix, the largest first: one-sided Jacobi rotations until all columns are orthogonal. */
export function singularValues(matrix: readonly (readonly number[])[]): number[] {
  const columns = transpose(matrix);
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let p = 0; p < columns.length; p++) {
      for (let q = p + 1; q < columns.length; q++) {
        const [a, b] = [columns[p]!, columns[q]!];
        const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
        if (Math.abs(ab) <= 1e-16 * Math.sqrt(aa * bb)) continue;
        const zeta = (bb - aa) / (2 * ab);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        const sine = cosine * tangent;
        columns[p] = a.map((x, i) => cosine * x - sine * b[i]!);
        columns[q] = a.map((x, i) => sine * x + cosine * b[i]!);
      }
    }
  }
  return columns.map((column) => Math.sqrt(dot(column, column))).sort((a, b) => b - a);
}

export interface SpectralDefinition {
  /** The matrix of a tensor. */
  matrix(W: readonly number[]): number[][];
  /** The largest singular value of the matrix. */
  largest(W: readonly number[]): number;
  /** One step of the power iteration, u first (as in the modern API) or v first (as in the hook API). */
  step(
    W: readonly number[],
    u: readonly number[],
    v: readonly number[],
    first?: 'u' | 'v',
  ): { u: number[]; v: number[] };
  /** `uᵀMv` */
  sigma(W: readonly number[], u: readonly number[], v: readonly number[]): number;
  /** `W / uᵀMv` */
  value(W: readonly number[], u: readonly number[], v: readonly number[]): number[];
  /** The gradient of `Σ dY · Y` to W; u and v are constants. */
  gradient(W: readonly number[], u: readonly number[], v: readonly number[], dY: readonly number[]): number[];
}

export function spectralDefinition(shape: readonly number[], dim: number): SpectralDefinition {
  const indices = indicesOf(shape, dim);
  const matrix = (W: readonly number[]): number[][] => indices.map((row) => row.map((i) => W[i]!));
  const sigma = (W: readonly number[], u: readonly number[], v: readonly number[]): number =>
    dot(
      u,
      matrix(W).map((row) => dot(row, v)),
    );
  return {
    matrix,
    sigma,
    largest: (W) => singularValues(matrix(W))[0]!,
    step(W, u, v, first = 'u') {
      const rows = matrix(W);
      const left = (right: readonly number[]): number[] => unit(rows.map((row) => dot(row, right)));
      const right = (from: readonly number[]): number[] =>
        unit(transpose(rows).map((column) => dot(column, from)));
      if (first === 'u') {
        const next = left(v);
        return { u: next, v: right(next) };
      }
      const next = right(u);
      return { u: left(next), v: next };
    },
    value(W, u, v) {
      const estimate = sigma(W, u, v);
      return W.map((x) => x / estimate);
    },
    gradient(W, u, v, dY) {
      const estimate = sigma(W, u, v);
      const along = dot(dY, W) / estimate;
      const dW = dY.map((x) => x / estimate);
      for (const [i, row] of indices.entries()) {
        for (const [j, index] of row.entries()) dW[index]! -= (along * u[i]! * v[j]!) / estimate;
      }
      return dW;
    },
  };
}
