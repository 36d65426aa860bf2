// Rows of `width` numbers, each of which belongs to the sum of its column; the last row may be shorter.
import { divisor, fits, isSumOfProducts, isSumOfSquares, keepsDigits } from './slice';

/** After so many steps, of two rows each, the float32 sums of products are added to those in float64. */
const FLUSH_AFTER = 8;

/**
 * `sums += Σ v²`, column by column. Eight float32 squares are added pairwise, all else in float64.
 *
 * The eight rows lie far apart, each in an eighth of the matrix: so they are fetched as eight streams, while neighbouring
 * rows, of a power of two of bytes, would compete for the same lines of a cache.
 */
export function addSquares(v: usize, sums: usize, size: i32, width: i32): void {
  const step = (<usize>width) << 2;
  const rows = size / width / 8;
  const apart = step * <usize>rows;
  for (let row = 0; row < rows; row++, v += step) addSquaresOfEight(v, sums, width, apart);
  const rest = v + 7 * apart;
  addProductsInFloat64(rest, rest, sums, size - 8 * rows * width, width);
}

function addSquaresOfEight(v: usize, sums: usize, n: i32, apart: usize): void {
  const apart2 = apart << 1;
  const apart3 = apart2 + apart;
  let u = v + (apart << 2);
  for (; n >= 4; n -= 4, v += 16, u += 16, sums += 32) {
    const a = v128.load(v);
    const b = v128.load(v + apart);
    const c = v128.load(v + apart2);
    const d = v128.load(v + apart3);
    const e = v128.load(u);
    const f = v128.load(u + apart);
    const g = v128.load(u + apart2);
    const h = v128.load(u + apart3);
    const ad = f32x4.add(
      f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)),
      f32x4.add(f32x4.mul(c, c), f32x4.mul(d, d)),
    );
    const eh = f32x4.add(
      f32x4.add(f32x4.mul(e, e), f32x4.mul(f, f)),
      f32x4.add(f32x4.mul(g, g), f32x4.mul(h, h)),
    );
    addWidened(sums, f32x4.add(ad, eh));
  }
  for (; n > 0; n--, v += 4, sums += 8) {
    let sum = load<f64>(sums);
    for (let row = 0, p = v; row < 8; row++, p += apart) {
      const x = <f64>load<f32>(p);
      sum += x * x;
    }
    store<f64>(sums, sum);
  }
}

/** Adds four float32 to four float64. */
function addWidened(sums: usize, x: v128): void {
  const high = v128.shuffle<i32>(x, x, 2, 3, 2, 3);
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(x)));
  v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(high)), 16);
}

/**
 * `sums += Σ u·v`, column by column; `partial` are as many float32 numbers.
 *
 * Two rows at a time, one in each half of the matrix: more of them, of two tensors, are more streams than are fetched ahead.
 */
export function addProducts(u: usize, v: usize, sums: usize, partial: usize, size: i32, width: i32): void {
  const step = (<usize>width) << 2;
  const rows = size / width / 2;
  const apart = step * <usize>rows;
  memory.fill(partial, 0, step);
  for (let row = 1; row <= rows; row++, u += step, v += step) {
    addProductsOfTwo(u, v, partial, width, apart);
    if (row % FLUSH_AFTER === 0 || row === rows) flush(partial, sums, width);
  }
  addProductsInFloat64(u + apart, v + apart, sums, size - 2 * rows * width, width);
}

function addProductsOfTwo(u: usize, v: usize, sums: usize, n: i32, apart: usize): void {
  for (; n >= 4; n -= 4, u += 16, v += 16, sums += 16) {
    const a = f32x4.mul(v128.load(u), v128.load(v));
    const b = f32x4.mul(v128.load(u + apart), v128.load(v + apart));
    v128.store(sums, f32x4.add(v128.load(sums), f32x4.add(a, b)));
  }
  for (; n > 0; n--, u += 4, v += 4, sums += 4) {
    const two = load<f32>(u) * load<f32>(v) + load<f32>(u + apart) * load<f32>(v + apart);
    store<f32>(sums, load<f32>(sums) + two);
  }
}

function flush(partial: usize, sums: usize, n: i32): void {
  for (; n >= 4; n -= 4, partial += 16, sums += 32) {
    addWidened(sums, v128.load(partial));
    v128.store(partial, f32x4.splat(0));
  }
  for (; n > 0; n--, partial += 4, sums += 8) {
    store<f64>(sums, load<f64>(sums) + <f64>load<f32>(partial));
    store<f32>(partial, 0);
  }
}

/** As {@link addProducts} and {@link addSquares}, for numbers whose products float32 cannot hold. */
export function addProductsInFloat64(u: usize, v: usize, sums: usize, size: i32, width: i32): void {
  for (; size > 0; size -= width) {
    let sum = sums;
    for (let n = min(size, width); n > 0; n--, u += 4, v += 4, sum += 8) {
      store<f64>(sum, load<f64>(sum) + <f64>load<f32>(u) * <f64>load<f32>(v));
    }
  }
}

/**
 * Turns sums of squares, of n numbers each, into float32 factors, `g / max(‖v‖, eps)`, and writes the norms.
 *
 * The factors may take the place of the sums, and the norms that of g.
 *
 * @returns false if a sum or a factor needs float64; then nothing of it can be used
 */
export function finishForward(
  sums: usize,
  factors: usize,
  g: usize,
  norms: usize,
  count: i32,
  n: i32,
  eps: f64,
): bool {
  for (; count > 0; count--, sums += 8, factors += 4, g += 4, norms += 4) {
    const sum = load<f64>(sums);
    const norm = sqrt(sum);
    const factor = <f64>load<f32>(g) / divisor(norm, eps);
    if (!isSumOfSquares(sum, n) || !fits(factor)) return false;
    store<f32>(factors, <f32>factor);
    store<f32>(norms, <f32>norm);
  }
  return true;
}

/**
 * Turns sums of products, of n numbers each, into the float32 factors a and c of `dv = a·(dW − c·v)`, and writes dg.
 *
 * a may take the place of the sums, and dg that of g.
 *
 * @returns false if a sum, a factor or a norm needs float64; then nothing of it can be used
 */
export function finishBackward(
  sums: usize,
  a: usize,
  c: usize,
  g: usize,
  norms: usize,
  dg: usize,
  count: i32,
  n: i32,
  eps: f64,
): bool {
  for (; count > 0; count--, sums += 8, a += 4, c += 4, g += 4, norms += 4, dg += 4) {
    const sum = load<f64>(sums);
    const norm = <f64>load<f32>(norms);
    const by = divisor(norm, eps);
    const along = sum / by;
    const ofG = <f64>load<f32>(g) / by;
    const ofV = norm <= eps ? 0 : along / by;
    if (!keepsDigits(norm) || !isSumOfProducts(sum, n, norm) || !fits(ofG) || !fits(ofV)) return false;
    store<f32>(a, <f32>ofG);
    store<f32>(c, <f32>ofV);
    store<f32>(dg, <f32>along);
  }
  return true;
}

/** `w = s·v`, where s has a float32 factor for each column. */
export function scaleColumns(v: usize, w: usize, s: usize, size: i32, width: i32): void {
  for (; size > 0; size -= width) {
    let factor = s;
    let n = min(size, width);
    for (; n >= 16; n -= 16, v += 64, w += 64, factor += 64) {
      v128.store(w, f32x4.mul(v128.load(v), v128.load(factor)));
      v128.store(w, f32x4.mul(v128.load(v, 16), v128.load(factor, 16)), 16);
      v128.store(w, f32x4.mul(v128.load(v, 32), v128.load(factor, 32)), 32);
      v128.store(w, f32x4.mul(v128.load(v, 48), v128.load(factor, 48)), 48);
    }
    for (; n > 0; n--, v += 4, w += 4, factor += 4) store<f32>(w, load<f32>(v) * load<f32>(factor));
  }
}

/** As {@link scaleColumns}, with float64 factors. */
export function scaleColumnsInFloat64(v: usize, w: usize, s: usize, size: i32, width: i32): void {
  for (; size > 0; size -= width) {
    let factor = s;
    for (let n = min(size, width); n > 0; n--, v += 4, w += 4, factor += 8) {
      store<f32>(w, <f32>(<f64>load<f32>(v) * load<f64>(factor)));
    }
  }
}

/** `dv = a·(dW − c·v)`, where a and c have a float32 factor for each column. */
export function combineColumns(
  dW: usize,
  v: usize,
  dv: usize,
  a: usize,
  c: usize,
  size: i32,
  width: i32,
): void {
  for (; size > 0; size -= width) {
    let offset: usize = 0;
    let n = min(size, width);
    for (; n >= 8; n -= 8, dW += 32, v += 32, dv += 32, offset += 32) {
      const p = f32x4.sub(v128.load(dW), f32x4.mul(v128.load(v), v128.load(c + offset)));
      const q = f32x4.sub(v128.load(dW, 16), f32x4.mul(v128.load(v, 16), v128.load(c + offset, 16)));
      v128.store(dv, f32x4.mul(p, v128.load(a + offset)));
      v128.store(dv, f32x4.mul(q, v128.load(a + offset, 16)), 16);
    }
    for (; n > 0; n--, dW += 4, v += 4, dv += 4, offset += 4) {
      store<f32>(dv, (load<f32>(dW) - load<f32>(v) * load<f32>(c + offset)) * load<f32>(a + offset));
    }
  }
}

/** As {@link combineColumns}, with float64 factors. */
export function combineColumnsInFloat64(
  dW: usize,
  v: usize,
  dv: usize,
  a: usize,
  c: usize,
  size: i32,
  width: i32,
): void {
  for (; size > 0; size -= width) {
    let offset: usize = 0;
    for (let n = min(size, width); n > 0; n--, dW += 4, v += 4, dv += 4, offset += 8) {
      const x = (<f64>load<f32>(dW) - <f64>load<f32>(v) * load<f64>(c + offset)) * load<f64>(a + offset);
      store<f32>(dv, <f32>x);
    }
  }
}
