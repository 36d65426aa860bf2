// Slices that lie one after the other, each with a norm of its own.
import {
  combine,
  combineInFloat64,
  divisor,
  products,
  productsInFloat64,
  savedNorm,
  scale,
  scaleInFloat64,
  squares,
} from './slice';

/** Shorter slices are summed and scaled one number at a time, in float64: of so few, there is nothing to do at once. */
const SHORT = 12;

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
    const norm = sqrt(length < SHORT ? productsInFloat64(v, v, length) : squares(v, length));
    store<f32>(norms, <f32>norm);
    const factor = <f64>load<f32>(g) / divisor(norm, eps);
    if (length < SHORT) scaleInFloat64(v, w, length, factor);
    else scale(v, w, length, factor);
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
    const sum = length < SHORT ? productsInFloat64(dW, v, length) : products(dW, v, length, norm);
    const along = sum / by;
    store<f32>(dg, <f32>along);
    const isNonzero: f64 = norm === 0 ? 0 : 1;
    const isUnit: f64 = norm <= eps ? 0 : 1;
    const a = (<f64>load<f32>(g) / by) * isNonzero;
    const c = (isUnit * along) / by;
    if (length < SHORT) combineInFloat64(dW, v, dv, length, a, c);
    else combine(dW, v, dv, length, a, c);
    g += 4;
    norms += 4;
    dg += 4;
    dW += step;
    v += step;
    dv += step;
  }
}
