// One slice of a tensor whose numbers lie one after the other: sums, and what is made of them.

/** The smallest and largest factor that float32 can hold with all its digits. */
const LEAST: f64 = 1.1754943508222875e-38;
const MOST: f64 = 3.4028234663852886e38;

/** A sum of n products that is smaller than n times this may have lost products that are too small for float32. */
const LEAST_PRODUCT: f64 = 1e-37;

/** Above this norm of v, lost products make a gradient wrong by less than 1e-39 each, which float32 cannot hold either. */
const LEAST_NORM: f64 = 1e-6;

/** `max(‖v‖, eps)`; 1 instead of a norm of 0. */
export function divisor(norm: f64, eps: f64): f64 {
  const positive = norm === 0 ? 1 : norm;
  return positive < eps ? eps : positive;
}

/** True if float32 has all digits of a norm. */
export function keepsDigits(norm: f64): bool {
  return norm >= 1e-30 && norm <= 1e38;
}

/** True if a factor keeps its digits as a float32; zero, NaN and infinity do. */
export function fits(factor: f64): bool {
  const size = abs(factor);
  return (size >= LEAST && size <= MOST) || size === 0 || !(size < Infinity);
}

/** False if float32 may have been too small or too large for what was summed: then it is summed again, in float64. */
export function isSumOfSquares(sum: f64, n: i32): bool {
  return sum >= <f64>n * LEAST_PRODUCT && sum < Infinity;
}

/** As {@link isSumOfSquares}, of products with a vector of this norm. A sum of 0 is taken for one: many gradients are 0. */
export function isSumOfProducts(sum: f64, n: i32, norm: f64): bool {
  const size = abs(sum);
  return (size >= <f64>n * LEAST_PRODUCT && size < Infinity) || (size === 0 && norm >= LEAST_NORM);
}

/** Both halves of four float32, added in float64. */
function widened(x: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3)));
}

function total(sums: v128): f64 {
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

export function productsInFloat64(u: usize, v: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (const end = v + ((<usize>n) << 2); v < end; v += 4, u += 4)
    sum += <f64>load<f32>(u) * <f64>load<f32>(v);
  return sum;
}

/** `Σ v²`. Eight float32 squares are added pairwise, all else in float64. */
export function squares(v: usize, n: i32): f64 {
  const start = v;
  const size = n;
  let sums = f64x2.splat(0);
  for (; n >= 32; n -= 32, v += 128) {
    const a = v128.load(v);
    const b = v128.load(v, 16);
    const c = v128.load(v, 32);
    const d = v128.load(v, 48);
    const e = v128.load(v, 64);
    const f = v128.load(v, 80);
    const g = v128.load(v, 96);
    const h = v128.load(v, 112);
    const ad = f32x4.add(
      f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)),
      f32x4.add(f32x4.mul(c, c), f32x4.mul(d, d)),
    );
    const eh = f32x4.add(
      f32x4.add(f32x4.mul(e, e), f32x4.mul(f, f)),
      f32x4.add(f32x4.mul(g, g), f32x4.mul(h, h)),
    );
    sums = f64x2.add(sums, widened(f32x4.add(ad, eh)));
  }
  for (; n >= 4; n -= 4, v += 16) {
    const a = v128.load(v);
    sums = f64x2.add(sums, widened(f32x4.mul(a, a)));
  }
  const sum = total(sums) + productsInFloat64(v, v, n);
  return isSumOfSquares(sum, size) ? sum : productsInFloat64(start, start, size);
}

/** `Σ u·v`, where v has this norm. Four float32 products are added pairwise, all else in float64. */
export function products(u: usize, v: usize, n: i32, norm: f64): f64 {
  const startU = u;
  const startV = v;
  const size = n;
  let sums = f64x2.splat(0);
  for (; n >= 16; n -= 16, u += 64, v += 64) {
    const a = f32x4.mul(v128.load(u), v128.load(v));
    const b = f32x4.mul(v128.load(u, 16), v128.load(v, 16));
    const c = f32x4.mul(v128.load(u, 32), v128.load(v, 32));
    const d = f32x4.mul(v128.load(u, 48), v128.load(v, 48));
    sums = f64x2.add(sums, widened(f32x4.add(f32x4.add(a, b), f32x4.add(c, d))));
  }
  for (; n >= 4; n -= 4, u += 16, v += 16) {
    sums = f64x2.add(sums, widened(f32x4.mul(v128.load(u), v128.load(v))));
  }
  const sum = total(sums) + productsInFloat64(u, v, n);
  return isSumOfProducts(sum, size, norm) ? sum : productsInFloat64(startU, startV, size);
}

/** `w = s·v` */
export function scale(v: usize, w: usize, n: i32, s: f64): void {
  if (fits(s)) {
    const factors = f32x4.splat(<f32>s);
    for (; n >= 16; n -= 16, v += 64, w += 64) {
      v128.store(w, f32x4.mul(v128.load(v), factors));
      v128.store(w, f32x4.mul(v128.load(v, 16), factors), 16);
      v128.store(w, f32x4.mul(v128.load(v, 32), factors), 32);
      v128.store(w, f32x4.mul(v128.load(v, 48), factors), 48);
    }
    for (; n >= 4; n -= 4, v += 16, w += 16) v128.store(w, f32x4.mul(v128.load(v), factors));
  }
  scaleInFloat64(v, w, n, s);
}

export function scaleInFloat64(v: usize, w: usize, n: i32, s: f64): void {
  for (; n > 0; n--, v += 4, w += 4) store<f32>(w, <f32>(<f64>load<f32>(v) * s));
}

/** `dv = a·(dW − c·v)` */
export function combine(dW: usize, v: usize, dv: usize, n: i32, a: f64, c: f64): void {
  if (fits(a) && fits(c)) {
    const as = f32x4.splat(<f32>a);
    const cs = f32x4.splat(<f32>c);
    for (; n >= 16; n -= 16, dW += 64, v += 64, dv += 64) {
      const p = f32x4.sub(v128.load(dW), f32x4.mul(v128.load(v), cs));
      const q = f32x4.sub(v128.load(dW, 16), f32x4.mul(v128.load(v, 16), cs));
      const r = f32x4.sub(v128.load(dW, 32), f32x4.mul(v128.load(v, 32), cs));
      const s = f32x4.sub(v128.load(dW, 48), f32x4.mul(v128.load(v, 48), cs));
      v128.store(dv, f32x4.mul(p, as));
      v128.store(dv, f32x4.mul(q, as), 16);
      v128.store(dv, f32x4.mul(r, as), 32);
      v128.store(dv, f32x4.mul(s, as), 48);
    }
  }
  combineInFloat64(dW, v, dv, n, a, c);
}

export function combineInFloat64(dW: usize, v: usize, dv: usize, n: i32, a: f64, c: f64): void {
  for (; n > 0; n--, dW += 4, v += 4, dv += 4) {
    store<f32>(dv, <f32>((<f64>load<f32>(dW) - <f64>load<f32>(v) * c) * a));
  }
}

/** `√Σ v²` in float64: the norm that the forward pass has saved, if float32 could hold it. */
export function savedNorm(saved: f64, v: usize, n: i32): f64 {
  return keepsDigits(saved) ? saved : sqrt(productsInFloat64(v, v, n));
}
