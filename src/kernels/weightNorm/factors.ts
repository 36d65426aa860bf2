// The arithmetic that is done once for each norm. Work for each number is in the loops.

/** The smallest and largest factor that float32 can hold with all its digits. */
const LEAST = 1.1754943508222875e-38;
const MOST = 3.4028234663852886e38;

/** A sum of n products that is smaller than n times this may have lost products that are too small for float32. */
const LEAST_PRODUCT = 1e-37;

/**
 * Above this norm of v, lost products make a gradient wrong by less than 1e-39 each, which float32 cannot hold either.
 */
const LEAST_NORM = 1e-6;

/** `max(‖v‖, eps)`; 1 instead of a norm of 0. */
const divisor = (norm: number, eps: number): number => Math.max(norm === 0 ? 1 : norm, eps);

/** True if float32 has all digits of a norm. */
const isNormExact = (norm: number): boolean => norm >= 1e-30 && norm <= 1e38;

/** True if a factor keeps its digits as a float32; zero, NaN and infinity do. */
function fits(factor: number): boolean {
  const size = Math.abs(factor);
  return (size >= LEAST && size <= MOST) || size === 0 || !(size < Infinity);
}

/**
 * False if float32 may have been too small or too large for the summands. The sum is then computed again in float64.
 */
const isSumOfSquares = (sum: number, n: number): boolean => sum >= n * LEAST_PRODUCT && sum < Infinity;

/**
 * As {@link isSumOfSquares}, of products with a vector of this norm. A sum of 0 is taken for one: many gradients are 0.
 */
function isSumOfProducts(sum: number, n: number, norm: number): boolean {
  const size = Math.abs(sum);
  return (size >= n * LEAST_PRODUCT && size < Infinity) || (size === 0 && norm >= LEAST_NORM);
}

// Loops and no callbacks: a thousand norms are a matter of microseconds, in which a kernel has done a million numbers.

/** True if all factors keep their digits as float32. */
export function allFit(factors: Float64Array): boolean {
  for (let i = 0; i < factors.length; i++) if (!fits(factors[i]!)) return false;
  return true;
}

/** True if no sum of squares of n numbers has to be summed again in float64. */
export function areSumsOfSquares(sums: Float64Array, n: number): boolean {
  for (let i = 0; i < sums.length; i++) if (!isSumOfSquares(sums[i]!, n)) return false;
  return true;
}

/** True if no sum of n products has to be summed again in float64. */
export function areSumsOfProducts(sums: Float64Array, n: number, norms: Float64Array): boolean {
  for (let i = 0; i < sums.length; i++) if (!isSumOfProducts(sums[i]!, n, norms[i]!)) return false;
  return true;
}

/** True if float32 has all digits of all norms. */
export function areNormsExact(norms: Float64Array): boolean {
  for (let i = 0; i < norms.length; i++) if (!isNormExact(norms[i]!)) return false;
  return true;
}

/** Adds the sum of each column to the sum of its norm. */
export function reduceColumns(columns: Float64Array, normOf: Int32Array, sums: Float64Array): void {
  for (let i = 0; i < normOf.length; i++) sums[normOf[i]!]! += columns[i]!;
}

/** Writes for each column the factor of its norm, as float32 or float64. */
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
 * Turns sums of squares into what v is multiplied by, `g / max(‖v‖, eps)`; writes the norms from `offset` on, perhaps
 * in the place of g.
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
 * Turns sums of products into the a of `dv = a·(dW − c·v)`, and returns the c; writes dg from `offset` on, perhaps in
 * the place of g.
 *
 * a is 0 where v is 0. c is 0 where the norm is at most eps, because the divisor is a constant there.
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

/** The saved norms, in float64; computed again, from the squares that `addSquares` adds up, if float32 lost digits. */
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
