// The arithmetic that is done once for each norm. The loops do the work for each number.

/** The smallest and the largest factor that float32 holds with full precision. */
const LEAST = 1.1754943508222875e-38;
const MOST = 3.4028234663852886e38;

/** A sum of n products below n times this number may lack products that are too small for float32. */
const LEAST_PRODUCT = 1e-37;

/**
 * The least norm of v at which lost products do not matter: each changes a gradient by less than 1e-39, which float32
 * cannot hold.
 */
const LEAST_NORM = 1e-6;

/** `max(‖v‖, eps)`, with 1 in place of a norm of 0. */
const divisor = (norm: number, eps: number): number => Math.max(norm === 0 ? 1 : norm, eps);

/** True if float32 holds a norm with full precision. */
const isNormExact = (norm: number): boolean => norm >= 1e-30 && norm <= 1e38;

/** True if float32 holds a factor with full precision. Zero, NaN and infinity count as held. */
function fits(factor: number): boolean {
  const size = Math.abs(factor);
  return (size >= LEAST && size <= MOST) || size === 0 || !(size < Infinity);
}

/** False if summands may have over- or underflowed in float32. The sum is then computed again in float64. */
const isSumOfSquares = (sum: number, n: number): boolean => sum >= n * LEAST_PRODUCT && sum < Infinity;

/**
 * Tests the same as {@link isSumOfSquares} for products with a vector of this norm. A sum of 0 passes, because many
 * gradients are 0.
 */
function isSumOfProducts(sum: number, n: number, norm: number): boolean {
  const size = Math.abs(sum);
  return (size >= n * LEAST_PRODUCT && size < Infinity) || (size === 0 && norm >= LEAST_NORM);
}

// These functions loop without callbacks. Callbacks for a thousand norms take microseconds, in which a kernel computes
// a million numbers.

/** True if float32 holds all factors with full precision. */
export function allFit(factors: Float64Array): boolean {
  for (let i = 0; i < factors.length; i++) if (!fits(factors[i]!)) return false;
  return true;
}

/** True if no sum of squares of n numbers has to be computed again in float64. */
export function areSumsOfSquares(sums: Float64Array, n: number): boolean {
  for (let i = 0; i < sums.length; i++) if (!isSumOfSquares(sums[i]!, n)) return false;
  return true;
}

/** True if no sum of n products has to be computed again in float64. */
export function areSumsOfProducts(sums: Float64Array, n: number, norms: Float64Array): boolean {
  for (let i = 0; i < sums.length; i++) if (!isSumOfProducts(sums[i]!, n, norms[i]!)) return false;
  return true;
}

/** True if float32 holds all norms with full precision. */
export function areNormsExact(norms: Float64Array): boolean {
  for (let i = 0; i < norms.length; i++) if (!isNormExact(norms[i]!)) return false;
  return true;
}

/** Adds the sum of each column to the sum of its norm. */
export function reduceColumns(columns: Float64Array, normOf: Int32Array, sums: Float64Array): void {
  for (let i = 0; i < normOf.length; i++) sums[normOf[i]!]! += columns[i]!;
}

/** Writes the factor of its norm for each column, as float32 or float64. */
export function scatterFactors(
  factors: Float64Array,
  normOf: Int32Array,
  { buffer }: { readonly buffer: ArrayBufferLike },
  address: number,
  inFloat32: boolean,
): void {
  const columns = inFloat32
    ? new Float32Array(buffer, address, normOf.length)
    : new Float64Array(buffer, address, normOf.length);
  for (let i = 0; i < normOf.length; i++) columns[i] = factors[normOf[i]!]!;
}

/**
 * Turns sums of squares into the factors of v, `g / max(‖v‖, eps)`. Writes the norms from `offset` on, and may
 * overwrite g.
 */
export function finishForward(
  sums: Float64Array,
  g: ArrayLike<number>,
  norms: { [index: number]: number },
  offset: number,
  eps: number,
): void {
  for (let i = 0; i < sums.length; i++) {
    const norm = Math.sqrt(sums[i]!);
    sums[i] = g[offset + i]! / divisor(norm, eps);
    norms[offset + i] = norm;
  }
}

/**
 * Turns sums of products into the a of `dv = a·(dW − c·v)`, and returns the c. Writes dg from `offset` on, and may
 * overwrite g.
 *
 * a is 0 if v is 0. c is 0 if the norm is at most eps, because the divisor is constant then.
 */
export function finishBackward(
  sums: Float64Array,
  g: ArrayLike<number>,
  norms: Float64Array,
  dg: { [index: number]: number },
  offset: number,
  eps: number,
): Float64Array {
  const cs = new Float64Array(sums.length);
  for (let i = 0; i < sums.length; i++) {
    const norm = norms[i]!;
    const by = divisor(norm, eps);
    const along = sums[i]! / by;
    sums[i] = (g[offset + i]! / by) * (norm === 0 ? 0 : 1);
    dg[offset + i] = along;
    cs[i] = ((norm <= eps ? 0 : 1) * along) / by;
  }
  return cs;
}

/**
 * Returns the saved norms in float64. If float32 lost digits, the norms are computed again from the sums of
 * `addSquares`.
 */
export function exactNorms(
  saved: ArrayLike<number>,
  offset: number,
  count: number,
  addSquares: (squares: Float64Array) => void,
): Float64Array {
  const norms = new Float64Array(count);
  for (let i = 0; i < count; i++) norms[i] = saved[offset + i]!;
  if (areNormsExact(norms)) return norms;
  addSquares(norms.fill(0));
  return norms.map(Math.sqrt);
}
