import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { convolution, convolutionInputGradient } from './convolution.ts';
import { type ConvolutionGeometry, outputSize, type Pair } from './correlate.ts';
import { type DepthWindow, foldDepth, unfoldDepth } from './depthTaps.ts';

/** The movement of a filter over one, two or three axes. Each list has a number for every axis. */
export interface GeometryNd {
  /** Steps between two outputs, in input elements. */
  readonly strides: readonly number[];
  /** Steps between two filter taps, in input elements. */
  readonly dilations: readonly number[];
  /** Zeros before and after the input; a negative number crops it. */
  readonly pads: readonly Pair[];
  /** The number of groups of channels. An output channel sees only the input channels of its group. */
  readonly groups: number;
}

/**
 * Convolution over sequences, images or volumes, for any stride, dilation, padding and number of groups, on every
 * backend.
 *
 * A sequence is computed as an image of height 1. A volume is computed as a batch of images, one for each output along
 * the depth; the channels of an image are the channels of all slices that the output sees.
 *
 * @remarks
 * **Shape**: x `[n, ...size, groups·in]`, filter `[...kernel, in, groups·out]`; output `[n, ...outputs, groups·out]`;
 * no axis but the batch may be empty.
 * **Gradient**: with respect to x and filter, of any order.
 * **Ownership**: returns a new tensor, as any op.
 *
 * @see torch.nn.functional.conv1d, conv2d, conv3d
 */
export function convolutionNd(x: Tensor, filter: Tensor, geometry: GeometryNd): Tensor {
  const plane = planeOf(geometry);
  if (x.rank < 5) {
    const y = convolution(asImage(x), imageFilter(filter), plane);
    return x.rank === 3 ? tf.squeeze(y, [1]) : y;
  }
  const [n, , height, width, channels] = x.shape as [number, number, number, number, number];
  const window = depthWindow(x.shape, filter, geometry);
  const taps = unfoldDepth(
    tf.reshape(x, [n, window.depth, height * width, channels]),
    geometry.groups,
    window,
  );
  const images: Tensor4D = tf.reshape(taps, [n * window.outputs, height, width, window.taps * channels]);
  const y = convolution(images, volumeFilter(filter), plane);
  return tf.reshape(y, [n, window.outputs, ...y.shape.slice(1)]);
}

/**
 * The gradient of {@link convolutionNd} with respect to its input, which is also the transposed convolution.
 *
 * @remarks
 * **Shape**: dy `[n, ...outputs, groups·out]`, filter `[...kernel, in, groups·out]`; output `inputShape`, for which the
 * convolution has the shape of dy.
 * **Gradient**: with respect to dy and filter, of any order.
 * **Ownership**: returns a new tensor, as any op.
 *
 * @see torch.nn.functional.conv_transpose1d, conv_transpose2d, conv_transpose3d
 */
export function convolutionNdInputGradient(
  dy: Tensor,
  filter: Tensor,
  inputShape: readonly number[],
  geometry: GeometryNd,
): Tensor {
  const plane = planeOf(geometry);
  if (dy.rank < 5) {
    const [n, channels] = [inputShape[0]!, inputShape.at(-1)!];
    const [height, width] = inputShape.length === 3 ? [1, inputShape[1]!] : [inputShape[1]!, inputShape[2]!];
    const dx = convolutionInputGradient(
      asImage(dy),
      imageFilter(filter),
      [n, height, width, channels],
      plane,
    );
    return dy.rank === 3 ? tf.squeeze(dx, [1]) : dx;
  }
  const [n, depth, height, width, channels] = inputShape as [number, number, number, number, number];
  const window = depthWindow(inputShape, filter, geometry);
  const outputs = dy.shape[1]!;
  const taps = convolutionInputGradient(
    tf.reshape(dy, [n * outputs, dy.shape[2]!, dy.shape[3]!, dy.shape[4]!]),
    volumeFilter(filter),
    [n * outputs, height, width, window.taps * channels],
    plane,
  );
  const folded = foldDepth(
    tf.reshape(taps, [n, outputs, height * width, window.taps * channels]),
    geometry.groups,
    window,
  );
  return tf.reshape(folded, [n, depth, height, width, channels]);
}

/** Returns the geometry of the last two axes. */
function planeOf({ strides, dilations, pads, groups }: GeometryNd): ConvolutionGeometry {
  return {
    strides: lastTwo(strides, 1),
    dilations: lastTwo(dilations, 1),
    pads: lastTwo(pads, [0, 0]),
    groups,
  };
}

/** Returns the values for the height and the width. A sequence has no height. */
function lastTwo<T>(axes: readonly T[], height: T): [T, T] {
  return [axes.at(-2) ?? height, axes.at(-1)!];
}

/** `[n, w, c]` → `[n, 1, w, c]`. */
const asImage = (x: Tensor): Tensor4D => (x.rank === 3 ? tf.expandDims(x, 1) : x) as Tensor4D;

/** `[w, in, out]` → `[1, w, in, out]`. */
const imageFilter = (filter: Tensor): Tensor4D =>
  (filter.rank === 3 ? tf.expandDims(filter, 0) : filter) as Tensor4D;

/** `[d, h, w, in, out]` → `[h, w, d·in, out]`. */
function volumeFilter(filter: Tensor): Tensor4D {
  const [depth, height, width, inPerGroup, out] = filter.shape as [number, number, number, number, number];
  const byDepth = tf.reshape(filter, [depth, height * width, inPerGroup * out]);
  return tf.reshape(tf.transpose(byDepth, [1, 0, 2]), [height, width, depth * inPerGroup, out]);
}

function depthWindow(
  inputShape: readonly number[],
  filter: Tensor,
  { strides, dilations, pads }: GeometryNd,
): DepthWindow {
  const [depth, taps] = [inputShape[1]!, filter.shape[0]!];
  const [stride, dilation, pad] = [strides[0]!, dilations[0]!, pads[0]!];
  return {
    depth,
    outputs: outputSize(depth, taps, stride, dilation, pad),
    taps,
    stride,
    dilation,
    before: pad[0],
  };
}
