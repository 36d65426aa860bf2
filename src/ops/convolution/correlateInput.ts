import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type ConvolutionGeometry, correlate } from './correlate.ts';

/** The layout of the input gradient along one axis. */
interface AxisPlan {
  /** The stride of the convolution, or 1 if zeros between the elements of dy replace it. */
  readonly stride: number;
  readonly dilation: number;
  /** The distance of the elements of dy: there are `upsampling − 1` zeros between them. */
  readonly upsampling: number;
  /** Zeros before and after the taps of the filter, which make `taps · phases` taps. */
  readonly filterPad: [number, number];
  /** The number of taps that one element of the gradient sees. */
  readonly taps: number;
  /** The number of elements that see a tap, among `stride` neighbours from `firstPhase` on. */
  readonly phases: number;
  readonly firstPhase: number;
  /** The number of blocks of `stride` elements that cover the input. */
  readonly blocks: number;
  /** The pads of dy that give this number of blocks. */
  readonly pads: [number, number];
}

/**
 * Computes the input gradient of a convolution as one correlation of dy with the flipped filter.
 *
 * With stride s, the gradient at `i` sees only the taps `k ≡ i + pad (mod s)`. Zeros between the elements of dy would
 * take s² times as many multiplications. Instead, the s² kinds of pixels are computed as channels and then interleaved.
 * Only an axis that is also dilated gets zeros.
 */
export function correlateInput(
  dy: Tensor4D,
  filter: Tensor4D,
  inputShape: readonly [number, number, number, number],
  geometry: ConvolutionGeometry,
): Tensor4D {
  const { groups } = geometry;
  const inPerGroup = filter.shape[2];
  const plan = (axis: 0 | 1): AxisPlan =>
    planAxis(
      inputShape[axis + 1]!,
      dy.shape[axis + 1]!,
      filter.shape[axis]!,
      geometry.strides[axis],
      geometry.dilations[axis],
      geometry.pads[axis][0],
    );
  const rows = plan(0);
  const columns = plan(1);
  const pixels = correlate(
    upsample(dy, rows.upsampling, columns.upsampling),
    phaseFilter(filter, rows, columns, groups),
    {
      strides: [1, 1],
      dilations: [rows.dilation, columns.dilation],
      pads: [rows.pads, columns.pads],
      groups,
    },
  );
  const dx = interleave(pixels, rows, columns, groups, inPerGroup);
  const sameSize = dx.shape[1] === inputShape[1] && dx.shape[2] === inputShape[2];
  return sameSize ? dx : tf.slice(dx, [0, 0, 0, 0], [...inputShape]);
}

function planAxis(
  size: number,
  dySize: number,
  filterSize: number,
  convolutionStride: number,
  dilation: number,
  padBefore: number,
): AxisPlan {
  const upsampling = dilation > 1 ? convolutionStride : 1;
  const stride = dilation > 1 ? 1 : convolutionStride;
  // The filter moves back by `shift` taps so that pad + shift is a multiple of the stride. So the first block begins at
  // the first pixel.
  const shift = (stride - (padBefore % stride)) % stride;
  const blocksBefore = (padBefore + shift) / stride;
  const sparse = shift + filterSize <= stride;
  const taps = Math.ceil((shift + filterSize) / stride);
  const blocks = Math.ceil(size / stride);
  const before = (taps - 1) * dilation - blocksBefore;
  return {
    stride,
    dilation,
    upsampling,
    filterPad: sparse ? [0, 0] : [shift, taps * stride - filterSize - shift],
    taps,
    phases: sparse ? filterSize : stride,
    firstPhase: sparse ? shift : 0,
    blocks,
    pads: [before, blocks - dySize * upsampling - before + (taps - 1) * dilation],
  };
}

/** Puts zeros after every element: `[1, 2]` becomes `[1, 0, 2, 0]`. */
function upsample(dy: Tensor4D, rows: number, columns: number): Tensor4D {
  if (rows === 1 && columns === 1) return dy;
  const [n, height, width, channels] = dy.shape;
  const spread = tf.pad(tf.reshape(dy, [n * height, 1, width, channels]), [
    [0, 0],
    [0, rows - 1],
    [0, 0],
    [0, (columns - 1) * channels],
  ]);
  return tf.reshape(spread, [n, height * rows, width * columns, channels]);
}

/**
 * `[kh, kw, in, groups·out]` → `[taps, taps, out, groups·phases·phases·in]`, the taps in reverse.
 */
function phaseFilter(filter: Tensor4D, rows: AxisPlan, columns: AxisPlan, groups: number): Tensor4D {
  const [, , inPerGroup, outChannels] = filter.shape;
  const taps = rows.taps * columns.taps;
  const phases = rows.phases * columns.phases;
  const padded: Tensor = [...rows.filterPad, ...columns.filterPad].some((pad) => pad > 0)
    ? tf.pad(filter, [rows.filterPad, columns.filterPad, [0, 0], [0, 0]])
    : filter;
  const rest = columns.phases * inPerGroup * outChannels;
  const byTap = tf.transpose(tf.reshape(padded, [rows.taps, rows.phases, columns.taps, rest]), [0, 2, 1, 3]);
  // tf.reverse takes ten times as long on wasm.
  const reversed = tf.concat(tf.split(tf.reshape(byTap, [taps, rows.phases * rest]), taps, 0).reverse(), 0);
  const outPerGroup = outChannels / groups;
  const swapped = tf.transpose(
    tf.reshape(reversed, [taps, phases * inPerGroup, groups, outPerGroup]),
    [0, 3, 2, 1],
  );
  return tf.reshape(swapped, [rows.taps, columns.taps, outPerGroup, groups * phases * inPerGroup]);
}

/** `[n, blocks, blocks, groups·phases·phases·in]` → `[n, blocks·stride, blocks·stride, groups·in]` */
function interleave(
  pixels: Tensor4D,
  rows: AxisPlan,
  columns: AxisPlan,
  groups: number,
  inPerGroup: number,
): Tensor4D {
  if (rows.stride === 1 && columns.stride === 1) return pixels;
  const n = pixels.shape[0];
  const phases = rows.phases * columns.phases;
  const channels = groups * inPerGroup;
  let grid: Tensor = pixels;
  if (groups > 1 && phases > 1) {
    const blocks = n * rows.blocks * columns.blocks;
    grid = tf.transpose(tf.reshape(grid, [blocks, groups, phases, inPerGroup]), [0, 2, 1, 3]);
  }
  grid = tf.reshape(grid, [n * rows.blocks, columns.blocks, rows.phases, columns.phases * channels]);
  grid = tf.transpose(grid, [0, 2, 1, 3]);
  const missing = (axis: AxisPlan): [number, number] => [
    axis.firstPhase,
    axis.stride - axis.phases - axis.firstPhase,
  ];
  const [left, right] = missing(columns);
  const pads: [number, number][] = [[0, 0], missing(rows), [0, 0], [left * channels, right * channels]];
  if (pads.flat().some((pad) => pad > 0)) grid = tf.pad(grid, pads);
  return tf.reshape(grid, [n, rows.blocks * rows.stride, columns.blocks * columns.stride, channels]);
}
