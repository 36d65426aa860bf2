import type { Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A number for the height and a number for the width. */
export type Pair = readonly [number, number];

/** The movement of a filter over an image. */
export interface ConvolutionGeometry {
  /** Steps between two outputs, in input pixels. */
  readonly strides: Pair;
  /** Steps between two filter taps, in input pixels. */
  readonly dilations: Pair;
  /** `[[top, bottom], [left, right]]`: zeros around the input; a negative number crops it. */
  readonly pads: readonly [Pair, Pair];
  /** The number of groups of channels. An output channel sees only the input channels of its group. */
  readonly groups: number;
}

/** Number of outputs along one axis: `⌊(size + pads − (taps − 1)·dilation − 1) / stride⌋ + 1`. */
export function outputSize(
  size: number,
  taps: number,
  stride: number,
  dilation: number,
  [before, after]: Pair,
): number {
  return Math.floor((size + before + after - (taps - 1) * dilation - 1) / stride) + 1;
}

/**
 * Computes the 2-d cross-correlation for every geometry, even if tfjs refuses it. It has no gradient; the convolution
 * and both of its gradients use it.
 *
 * @remarks
 * **Shape**: x `[n, height, width, groups·in]`, filter `[kh, kw, in, groups·out]`; output `[n, oh, ow, groups·out]`.
 */
export function correlate(x: Tensor4D, filter: Tensor4D, geometry: ConvolutionGeometry): Tensor4D {
  const { strides, dilations, pads, groups } = geometry;
  const cropped = crop(x, pads);
  if (cropped.size === 0) {
    const size = (axis: 0 | 1) =>
      outputSize(x.shape[axis + 1]!, filter.shape[axis]!, strides[axis], dilations[axis], pads[axis]);
    return tf.zeros([x.shape[0], size(0), size(1), filter.shape[3]]);
  }
  const rest = { ...geometry, pads: pads.map(added) as [Pair, Pair] };
  if (Math.max(...strides) > 1 && Math.max(...dilations) > 1) return correlateSparsely(cropped, filter, rest);
  const windowed: Window = { strides, dilations, padding: explicitPadding(rest) };
  if (groups === 1) return dense(cropped, filter, windowed);
  // One way costs a kernel launch for each group, the other a result for each input channel of a group. On wasm and cpu
  // they cost the same if both numbers are equal.
  const inPerGroup = filter.shape[2];
  return (inPerGroup <= groups ? channelByChannel : groupByGroup)(cropped, filter, groups, windowed);
}

/** The arguments of the tfjs kernels. */
interface Window {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: tf.backend_util.ExplicitPadding;
}

function dense(x: Tensor4D, filter: Tensor4D, { strides, dilations, padding }: Window): Tensor4D {
  return tf.conv2d(x, filter, [...strides], padding, 'NHWC', [...dilations]);
}

/** Correlates group by group. The groups come first in memory, so splitting and joining them are plain copies. */
function groupByGroup(x: Tensor4D, filter: Tensor4D, groups: number, windowed: Window): Tensor4D {
  const inputs = splitGroups(x, groups);
  const filters = splitGroups(filter, groups);
  const results = inputs.map((input, group) => dense(input, filters[group]!, windowed));
  const [n, height, width, outPerGroup] = results[0]!.shape;
  const joined = tf.reshape(tf.concat(results, 0), [groups, n * height * width, outPerGroup]);
  return tf.reshape(tf.transpose(joined, [1, 0, 2]), [n, height, width, groups * outPerGroup]);
}

function splitGroups(tensor: Tensor4D, groups: number): Tensor4D[] {
  const [a, b, c, channels] = tensor.shape;
  const grouped = tf.transpose(tf.reshape(tensor, [a * b * c, groups, channels / groups]), [1, 0, 2]);
  return tf.split(tf.reshape(grouped, [groups * a, b, c, channels / groups]), groups, 0);
}

/** Correlates channel by channel, as a depthwise convolution, and adds up the channels of each group. */
function channelByChannel(x: Tensor4D, filter: Tensor4D, groups: number, windowed: Window): Tensor4D {
  const [kh, kw, inPerGroup, outChannels] = filter.shape;
  const outPerGroup = outChannels / groups;
  const grouped = tf.reshape(filter, [kh * kw, inPerGroup, groups, outPerGroup]);
  const channelwise = tf.reshape(inPerGroup === 1 ? grouped : tf.transpose(grouped, [0, 2, 1, 3]), [
    kh,
    kw,
    groups * inPerGroup,
    outPerGroup,
  ]) as Tensor4D;
  const { strides, dilations, padding } = windowed;
  const y = tf.depthwiseConv2d(x, channelwise, [...strides], padding, 'NHWC', [...dilations]);
  if (inPerGroup === 1) return y;
  const [n, height, width] = y.shape;
  const terms = tf.reshape(y, [n * height * width * groups, inPerGroup, outPerGroup]);
  return tf.reshape(tf.sum(terms, 1), [n, height, width, outChannels]);
}

/**
 * Correlates with strides and dilations together, which tfjs refuses even on different axes. If both have a common
 * factor on an axis, only every n-th pixel is read, so the others are dropped first. The result is computed at stride 1
 * and then thinned.
 */
function correlateSparsely(x: Tensor4D, filter: Tensor4D, geometry: ConvolutionGeometry): Tensor4D {
  const { strides, dilations } = geometry;
  const factors = [gcd(strides[0], dilations[0]), gcd(strides[1], dilations[1])] as const;
  if (Math.max(...factors) > 1) {
    const divide = (pair: Pair): Pair => [pair[0] / factors[0], pair[1] / factors[1]];
    const padded: Tensor4D = tf.pad(x, explicitPadding(geometry));
    return correlate(everyNth(padded, factors), filter, {
      ...geometry,
      strides: divide(strides),
      dilations: divide(dilations),
      pads: NO_PADS,
    });
  }
  return everyNth(correlate(x, filter, { ...geometry, strides: [1, 1] }), strides);
}

const NO_PADS = [
  [0, 0],
  [0, 0],
] as const;

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

function everyNth(x: Tensor4D, [rows, columns]: Pair): Tensor4D {
  return tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, rows, columns, 1]) as Tensor4D;
}

/** Crops the input by its negative pads. */
function crop(x: Tensor4D, pads: ConvolutionGeometry['pads']): Tensor4D {
  if (pads.every((pair) => pair.every((pad) => pad >= 0))) return x;
  const begin = [0, 0, 0, 0];
  const size: number[] = [...x.shape];
  pads.forEach(([before, after], axis) => {
    const length = x.shape[axis + 1]!;
    begin[axis + 1] = Math.min(Math.max(-before, 0), length);
    size[axis + 1] = Math.max(length - begin[axis + 1]! - Math.max(-after, 0), 0);
  });
  return tf.slice(x, begin, size);
}

/** Returns a pair of pads with 0 in place of negative numbers. */
const added = ([before, after]: Pair): Pair => [Math.max(before, 0), Math.max(after, 0)];

/** Returns the pads in tfjs's form. */
function explicitPadding({ pads }: ConvolutionGeometry): tf.backend_util.ExplicitPadding {
  return [[0, 0], [...pads[0]], [...pads[1]], [0, 0]];
}
