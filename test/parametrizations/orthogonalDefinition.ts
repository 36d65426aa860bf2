// The orthogonal maps in float64, straight from their definitions, to compare with.

export type Matrix = readonly (readonly number[])[];
export type MapName = 'matrixExp' | 'cayley' | 'householder';

export const eye = (n: number): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
export const transpose = (a: Matrix): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!));
const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, i) => sum + x * b[i]![j]!, 0)));
const combine = (a: Matrix, s: number, b: Matrix): number[][] =>
  a.map((row, i) => row.map((x, j) => x + s * b[i]![j]!));

/** `eᴬ`, by the Taylor series of A/2ˢ, squared s times. */
export function exponential(a: Matrix): number[][] {
  const norm = Math.max(...a.map((row) => row.reduce((sum, x) => sum + Math.abs(x), 0)), 1e-300);
  const squarings = Math.max(0, Math.ceil(Math.log2(norm)) + 1);
  const small = a.map((row) => row.map((x) => x / 2 ** squarings));
  let [sum, term] = [eye(a.length), eye(a.length)];
  for (let k = 1; k <= 20; k++) {
    term = product(term, small).map((row) => row.map((x) => x / k));
    sum = combine(sum, 1, term);
  }
  for (let i = 0; i < squarings; i++) sum = product(sum, sum);
  return sum;
}

/** `a⁻¹·b`, by Gaussian elimination with pivots. */
export function solve(a: Matrix, b: Matrix): number[][] {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...b[i]!]);
  for (let j = 0; j < n; j++) {
    let pivot = j;
    for (let i = j; i < n; i++) if (Math.abs(rows[i]![j]!) > Math.abs(rows[pivot]![j]!)) pivot = i;
    [rows[j], rows[pivot]] = [rows[pivot]!, rows[j]!];
    const divisor = rows[j]![j]!;
    rows[j] = rows[j]!.map((x) => x / divisor);
    for (let i = 0; i < n; i++) {
      if (i === j) continue;
      const factor = rows[i]![j]!;
      rows[i] = rows[i]!.map((x, column) => x - factor * rows[j]![column]!);
    }
  }
  return rows.map((row) => row.slice(n));
}

/** The Q of `a = QR` with a positive diagonal of R, of a tall matrix with independent columns: Gram and Schmidt, twice. */
export function orthogonalized(a: Matrix): number[][] {
  const columns: number[][] = [];
  for (const column of transpose(a)) {
    let x = column;
    for (let pass = 0; pass < 2; pass++) {
      for (const q of columns) {
        const along = x.reduce((sum, value, i) => sum + value * q[i]!, 0);
        x = x.map((value, i) => value - along * q[i]!);
      }
    }
    const norm = Math.hypot(...x);
    columns.push(x.map((value) => value / norm));
  }
  return transpose(columns);
}

/** `map(X)`, of any shape. */
export function definition(map: MapName, X: Matrix): number[][] {
  const [m, n] = [X.length, X[0]!.length];
  if (m < n) return transpose(definition(map, transpose(X)));
  if (map === 'householder') {
    let Q = eye(m);
    for (let j = 0; j < n; j++) {
      const v = X.map((row, i) => (i < j ? 0 : i === j ? 1 : row[j]!));
      const tau = 2 / v.reduce((sum, x) => sum + x * x, 0);
      const reflection = eye(m).map((row, i) => row.map((x, k) => x - tau * v[i]! * v[k]!));
      Q = product(Q, reflection);
    }
    return Q.map((row) => row.slice(0, n).map((x, j) => (X[j]![j]! < 0 ? -x : x)));
  }
  const lower = eye(m).map((row, i) => row.map((_, j) => (j < i && j < n ? X[i]![j]! : 0)));
  const A = combine(lower, -1, transpose(lower));
  const Q = map === 'matrixExp' ? exponential(A) : solve(combine(eye(m), -0.5, A), combine(eye(m), 0.5, A));
  return Q.map((row) => row.slice(0, n));
}

/** Flat numbers as rows of a length. */
export const rowsOf = (numbers: readonly number[], columns: number): number[][] =>
  Array.from({ length: numbers.length / columns }, (_, i) => numbers.slice(i * columns, (i + 1) * columns));
