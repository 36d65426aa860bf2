import type * as tf from '@tensorflow/tfjs-core';

/** How a kernel moves over any number of axes. */
export interface DirectGeometry {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Elements before and after, along each axis. */
  readonly pads: readonly (readonly [number, number])[];
  readonly groups: number;
}

export interface Direct {
  readonly shape: number[];
  readonly values: number[];
}

/** Every list of indices below a shape, in row-major order. */
export function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (lists, size) => lists.flatMap((list) => Array.from({ length: size }, (_, i) => [...list, i])),
    [[]],
  );
}

const flat = (shape: readonly number[], index: readonly number[]): number =>
  shape.reduce((sum, size, axis) => sum * size + index[axis]!, 0);

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/**
 * Calls `visit` with the flat indices of every product y[·] += x[·]·w[·] of torch's ConvNd, straight from the formula, x
 * `[n, groups·in, ...]`, w `[groups·out, in, ...]`, y `[n, groups·out, ...]`.
 */
function eachProduct(
  shapes: { x: readonly number[]; w: readonly number[]; y: readonly number[] },
  { stride, dilation, pads, groups }: DirectGeometry,
  visit: (y: number, x: number, w: number) => void,
): void {
  const [out, inPerGroup, ...kernel] = shapes.w as [number, number, ...number[]];
  const taps = indices(kernel);
  for (const y of indices(shapes.y)) {
    const [n, o, ...place] = y as [number, number, ...number[]];
    for (const tap of taps) {
      const seen = place.map((p, axis) => p * stride[axis]! + tap[axis]! * dilation[axis]! - pads[axis]![0]);
      if (seen.some((at, axis) => at < 0 || at >= shapes.x[axis + 2]!)) continue;
      for (let c = 0; c < inPerGroup; c++) {
        const channel = Math.floor((o * groups) / out) * inPerGroup + c;
        visit(flat(shapes.y, y), flat(shapes.x, [n, channel, ...seen]), flat(shapes.w, [o, c, ...tap]));
      }
    }
  }
}

/** torch's ConvNd with zeros around the input. */
export function directConvNd(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor | null,
  geometry: DirectGeometry,
): Direct {
  const { stride, dilation, pads } = geometry;
  const [out, , ...kernel] = weight.shape as [number, number, ...number[]];
  const size = kernel.map((taps, axis) => {
    const padded = x.shape[axis + 2]! + pads[axis]![0] + pads[axis]![1];
    return Math.floor((padded - (taps - 1) * dilation[axis]! - 1) / stride[axis]!) + 1;
  });
  const shape = [x.shape[0]!, out, ...size];
  const values = beginWithBias(shape, bias);
  const [input, kernels] = [x.dataSync(), weight.dataSync()];
  eachProduct({ x: x.shape, w: weight.shape, y: shape }, geometry, (iy, ix, iw) => {
    values[iy]! += input[ix]! * kernels[iw]!;
  });
  return { shape, values };
}

/** torch's ConvTransposeNd: every input is spread over the output by the kernel; weight `[groups·in, out, ...]`. */
export function directConvTransposeNd(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor | null,
  geometry: DirectGeometry,
  outputPadding: readonly number[],
): Direct {
  const { stride, dilation, pads, groups } = geometry;
  const [, outPerGroup, ...kernel] = weight.shape as [number, number, ...number[]];
  const size = kernel.map((taps, axis) => {
    const [before, after] = pads[axis]!;
    const span = (x.shape[axis + 2]! - 1) * stride[axis]! + (taps - 1) * dilation[axis]! + 1;
    return span - before - after + outputPadding[axis]!;
  });
  const shape = [x.shape[0]!, outPerGroup * groups, ...size];
  const values = beginWithBias(shape, bias);
  const [input, kernels] = [x.dataSync(), weight.dataSync()];
  eachProduct({ x: shape, w: weight.shape, y: x.shape }, geometry, (ix, iy, iw) => {
    values[iy]! += input[ix]! * kernels[iw]!;
  });
  return { shape, values };
}

function beginWithBias(shape: readonly number[], bias: tf.Tensor | null): number[] {
  const offsets = bias?.dataSync();
  const pixels = sizeOf(shape.slice(2));
  return Array.from({ length: sizeOf(shape) }, (_, i) => offsets?.[Math.floor(i / pixels) % shape[1]!] ?? 0);
}
