// Slices that lie one after the other, each with a norm of its own.
import { combine, products, savedNorm, scale, squares } from './slice';

/** `max(‖v‖, eps)`; 1 instead of a norm of 0. */
function divisor(norm: f64, eps: f64): f64 {
  const positive = norm === 0 ? 1 : norm;
  return positive < eps ? eps : positive;
}

/** `w = g·v / max(‖v‖, eps)`, and the norms, of `count` slices of `length` numbers. */
export function forwardRows(
  g: usize,
  v: usize,
  w: usize,
  norms: usize,
  count: i32,
  length: i32,
  eps: f64,
): void {
  for (const step = (<usize>length) << 2; count > 0; count--) {
    const norm = sqrt(squares(v, length));
    store<f32>(norms, <f32>norm);
    scale(v, w, length, <f64>load<f32>(g) / divisor(norm, eps));
    g += 4;
    norms += 4;
    v += step;
    w += step;
  }
}

/** `dg = Σ dW·u`, `dv = g/‖v‖·(dW − u·dg)` of the same slices. */
export function backwardRows(
  dW: usize,
  g: usize,
  v: usize,
  norms: usize,
  dg: usize,
  dv: usize,
  count: i32,
  length: i32,
  eps: f64,
): void {
  for (const step = (<usize>length) << 2; count > 0; count--) {
    const norm = savedNorm(<f64>load<f32>(norms), v, length);
    const by = divisor(norm, eps);
    const along = products(dW, v, length, norm) / by;
    store<f32>(dg, <f32>along);
    const isNonzero: f64 = norm === 0 ? 0 : 1;
    const isUnit: f64 = norm <= eps ? 0 : 1;
    combine(dW, v, dv, length, (<f64>load<f32>(g) / by) * isNonzero, (isUnit * along) / by);
    g += 4;
    norms += 4;
    dg += 4;
    dW += step;
    v += step;
    dv += step;
  }
}
