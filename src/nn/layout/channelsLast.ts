import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { transpose } from '../../ops/matrix/transpose.ts';

// torch has the channels first in sequences, images and volumes, [n, c, ...size], and weights as [out, in, ...kernel].
// The kernels of tfjs need the channels last, [n, ...size, c] and [...kernel, in, out].

/** `[n, c, ...size]` → `[n, ...size, c]`. */
export function toChannelsLast(x: Tensor): Tensor {
  const [n, channels, ...size] = x.shape as [number, number, ...number[]];
  return tf.reshape(transpose(tf.reshape(x, [n, channels, tf.util.sizeFromShape(size)])), [
    n,
    ...size,
    channels,
  ]);
}

/** `[n, ...size, c]` → `[n, c, ...size]`. */
export function toChannelsFirst(y: Tensor): Tensor {
  const [n, size, channels] = [y.shape[0]!, y.shape.slice(1, -1), y.shape.at(-1)!];
  return tf.reshape(transpose(tf.reshape(y, [n, tf.util.sizeFromShape(size), channels])), [
    n,
    channels,
    ...size,
  ]);
}

/** The shape `[n, c, ...size]` → `[n, ...size, c]`. */
export const toChannelsLastOrder = ([n, channels, ...size]: readonly number[]): number[] => [
  n!,
  ...size,
  channels!,
];

/** The shape `[n, ...size, c]` → `[n, c, ...size]`. */
export const toTorchOrder = ([n, ...others]: readonly number[]): number[] => [
  n!,
  others.at(-1)!,
  ...others.slice(0, -1),
];

/** `[out, in, ...kernel]` → `[...kernel, in, out]`. */
export function toFilter(weight: Tensor): Tensor {
  const [outChannels, inChannels, ...kernel] = weight.shape as [number, number, ...number[]];
  const flat = tf.reshape(weight, [outChannels, inChannels, tf.util.sizeFromShape(kernel)]);
  return tf.reshape(tf.transpose(flat, [2, 1, 0]), [...kernel, inChannels, outChannels]);
}
