import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

// torch lays sequences, images and volumes out with the channels first, [n, c, ...size], and weights as [out, in,
// ...kernel]; the kernels of tfjs want the channels last, [n, ...size, c] and [...kernel, in, out].

/** `[n, c, ...size]` → `[n, ...size, c]`. */
export function toChannelsLast(x: Tensor): Tensor {
  const [n, channels, ...size] = x.shape as [number, number, ...number[]];
  return tf.reshape(swapLast(x, n, channels, tf.util.sizeFromShape(size)), [n, ...size, channels]);
}

/** `[n, ...size, c]` → `[n, c, ...size]`. */
export function toChannelsFirst(y: Tensor): Tensor {
  const [n, size, channels] = [y.shape[0]!, y.shape.slice(1, -1), y.shape.at(-1)!];
  return tf.reshape(swapLast(y, n, tf.util.sizeFromShape(size), channels), [n, channels, ...size]);
}

/** `[out, in, ...kernel]` → `[...kernel, in, out]`. */
export function toFilter(weight: Tensor): Tensor {
  const [outChannels, inChannels, ...kernel] = weight.shape as [number, number, ...number[]];
  const flat = tf.reshape(weight, [outChannels, inChannels, tf.util.sizeFromShape(kernel)]);
  return tf.reshape(tf.transpose(flat, [2, 1, 0]), [...kernel, inChannels, outChannels]);
}

/**
 * `[n, a, b]` → `[n, b, a]`; where an axis has one element only, the numbers stay in their order. An empty tensor would
 * trap on wasm.
 */
function swapLast(t: Tensor, n: number, a: number, b: number): Tensor {
  return a === 1 || b === 1 || t.size === 0 ? t : tf.transpose(tf.reshape(t, [n, a, b]), [0, 2, 1]);
}
