import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

// torch lays images out with the channels first, [n, c, ...], weights as [out, in, ...]; the kernels of tfjs want the
// channels last, [n, h, w, c] and [h, w, in, out]. A sequence is an image of height 1 there.

/** `[n, c, ...size]` → `[n, h, w, c]`. */
export function toChannelsLast(x: Tensor): Tensor4D {
  const [n, channels, ...size] = x.shape as [number, number, ...number[]];
  const pixels = tf.util.sizeFromShape(size);
  return tf.reshape(swapLast(x, n, channels, pixels), [n, ...heightAndWidth(size, 1), channels]);
}

/** `[n, h, w, c]` → `[n, c, ...size]`, with as many axes as the input had. */
export function toChannelsFirst(y: Tensor4D, rank: number): Tensor {
  const [n, height, width, channels] = y.shape;
  const size = rank === 3 ? [width] : [height, width];
  return tf.reshape(swapLast(y, n, height * width, channels), [n, channels, ...size]);
}

/** `[out, in, ...kernel]` → `[h, w, in, out]`. */
export function toFilter(weight: Tensor): Tensor4D {
  const [outChannels, inChannels, ...size] = weight.shape as [number, number, ...number[]];
  const flat = tf.reshape(weight, [outChannels, inChannels, tf.util.sizeFromShape(size)]);
  return tf.reshape(tf.transpose(flat, [2, 1, 0]), [...heightAndWidth(size, 1), inChannels, outChannels]);
}

/** What holds for the height and for the width, given what holds for each spatial axis; a sequence has no height. */
export function heightAndWidth<T>(axes: readonly T[], height: T): [T, T] {
  return axes.length === 1 ? [height, axes[0]!] : [axes[0]!, axes[1]!];
}

/**
 * `[n, a, b]` → `[n, b, a]`; where an axis has one element only, the numbers stay in their order. An empty tensor would
 * trap on wasm.
 */
function swapLast(t: Tensor, n: number, a: number, b: number): Tensor {
  return a === 1 || b === 1 || t.size === 0 ? t : tf.transpose(tf.reshape(t, [n, a, b]), [0, 2, 1]);
}
