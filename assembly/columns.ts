// Rows of `width` numbers, each of which belongs to the sum of its column; the last row may be shorter.

/** After so many rows the float32 sums of products are added to those in float64. */
const FLUSH_AFTER = 16;

/** `sums += Σ v²`, column by column. Eight float32 squares are added pairwise, all else in float64. */
export function addSquares(v: usize, sums: usize, size: i32, width: i32): void {
  const step = (<usize>width) << 2;
  for (const block = width << 3; size >= block; size -= block, v += step << 3) {
    addSquaresOfEight(v, sums, width, step);
  }
  for (; size > 0; size -= width, v += step) addSquaresInFloat64(v, sums, min(size, width), width);
}

function addSquaresOfEight(v: usize, sums: usize, n: i32, step: usize): void {
  const step2 = step << 1;
  const step3 = step2 + step;
  let u = v + (step << 2);
  for (; n >= 4; n -= 4, v += 16, u += 16, sums += 32) {
    const a = v128.load(v);
    const b = v128.load(v + step);
    const c = v128.load(v + step2);
    const d = v128.load(v + step3);
    const e = v128.load(u);
    const f = v128.load(u + step);
    const g = v128.load(u + step2);
    const h = v128.load(u + step3);
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
    for (let row = 0, p = v; row < 8; row++, p += step) {
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

/** As {@link addSquares}, for numbers whose squares float32 cannot hold. */
export function addSquaresInFloat64(v: usize, sums: usize, size: i32, width: i32): void {
  for (; size > 0; size -= width) {
    let sum = sums;
    for (let n = min(size, width); n > 0; n--, v += 4, sum += 8) {
      const x = <f64>load<f32>(v);
      store<f64>(sum, load<f64>(sum) + x * x);
    }
  }
}

/**
 * `sums += Σ u·v`, column by column; `partial` are as many float32 numbers.
 *
 * Row by row, as the memory lies: two tensors and the sums are three streams already.
 */
export function addProducts(u: usize, v: usize, sums: usize, partial: usize, size: i32, width: i32): void {
  const step = (<usize>width) << 2;
  memory.fill(partial, 0, step);
  let pending = 0;
  for (; size > 0; size -= width, u += step, v += step) {
    addProductsOfRow(u, v, partial, min(size, width));
    if (++pending === FLUSH_AFTER) {
      flush(partial, sums, width);
      pending = 0;
    }
  }
  if (pending > 0) flush(partial, sums, width);
}

function addProductsOfRow(u: usize, v: usize, sums: usize, n: i32): void {
  for (; n >= 16; n -= 16, u += 64, v += 64, sums += 64) {
    const a = f32x4.mul(v128.load(u), v128.load(v));
    const b = f32x4.mul(v128.load(u, 16), v128.load(v, 16));
    const c = f32x4.mul(v128.load(u, 32), v128.load(v, 32));
    const d = f32x4.mul(v128.load(u, 48), v128.load(v, 48));
    v128.store(sums, f32x4.add(v128.load(sums), a));
    v128.store(sums, f32x4.add(v128.load(sums, 16), b), 16);
    v128.store(sums, f32x4.add(v128.load(sums, 32), c), 32);
    v128.store(sums, f32x4.add(v128.load(sums, 48), d), 48);
  }
  for (; n > 0; n--, u += 4, v += 4, sums += 4) {
    store<f32>(sums, load<f32>(sums) + load<f32>(u) * load<f32>(v));
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

/** As {@link addProducts}, for numbers whose products float32 cannot hold. */
export function addProductsInFloat64(u: usize, v: usize, sums: usize, size: i32, width: i32): void {
  for (; size > 0; size -= width) {
    let sum = sums;
    for (let n = min(size, width); n > 0; n--, u += 4, v += 4, sum += 8) {
      store<f64>(sum, load<f64>(sum) + <f64>load<f32>(u) * <f64>load<f32>(v));
    }
  }
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
