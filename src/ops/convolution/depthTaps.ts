import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { applyLinear, type LinearMap } from '../linearMap/linearMap.ts';
import type { Pair } from './correlate.ts';

/** The positions of the taps of a filter along the depth of a volume. */
export interface DepthWindow {
  /** Depth of the input. */
  readonly depth: number;
  /** Depth of the output. */
  readonly outputs: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before the input; a negative number crops it. */
  readonly before: number;
}

/** The shape of a volume with grouped channels last: `[n, depth, pixels, groups·in]`. */
type Shape4D = readonly [number, number, number, number];

/**
 * Returns the elements that every output sees along the depth, as channels.
 *
 * `y[n, q, p, g, i, c] = x[n, q·stride + i·dilation − before, p, g, c]`, zero outside
 *
 * A convolution over a volume is then a convolution over images with `taps` times as many channels.
 *
 * @remarks
 * **Shape**: x `[n, depth, pixels, groups·in]`; output `[n, outputs, pixels, groups·taps·in]`.
 * **Gradient**: of any order; it is {@link foldDepth}.
 */
export function unfoldDepth(x: Tensor, groups: number, window: DepthWindow): Tensor {
  const [n, , pixels, channels] = x.shape as unknown as Shape4D;
  return applyLinear(depthMap([n, window.depth, pixels, channels], groups, window), x);
}

/** The transpose of {@link unfoldDepth}: adds every tap to the position where it was read. */
export function foldDepth(y: Tensor, groups: number, window: DepthWindow): Tensor {
  const [n, , pixels, channels] = y.shape as unknown as Shape4D;
  const { apply, transpose } = depthMap([n, window.depth, pixels, channels / window.taps], groups, window);
  return applyLinear({ apply: transpose, transpose: apply }, y);
}

function depthMap([n, depth, pixels, channels]: Shape4D, groups: number, window: DepthWindow): LinearMap {
  const { outputs, taps, stride, dilation, before } = window;
  const slab = pixels * channels;
  // Room for `outputs` strides after the first tap and after the last tap.
  const room = (taps - 1) * dilation + outputs * stride;
  const rows = n * outputs * pixels * groups;
  return {
    apply: (x) => {
      const padded = window1d(tf.reshape(x, [n, depth, slab]), -before, room);
      const seen = Array.from({ length: taps }, (_, tap) => {
        const from = tf.slice(padded, [0, tap * dilation, 0], [n, outputs * stride, slab]);
        const steps = tf.reshape(from, [n, outputs, stride * slab]);
        const first = stride === 1 ? steps : tf.slice(steps, [0, 0, 0], [n, outputs, slab]);
        return tf.reshape(first, [rows, channels / groups]);
      });
      return tf.reshape(tf.concat(seen, 1), [n, outputs, pixels, taps * channels]);
    },
    transpose: (y) => {
      const split = tf.split(tf.reshape(y, [rows, (taps * channels) / groups]), taps, 1);
      const places = split.map((seen, tap) => {
        const steps = tf.reshape(seen, [n, outputs, slab]);
        const spread = tf.reshape(window1d(steps, 0, outputs, stride * slab), [n, outputs * stride, slab]);
        return window1d(spread, -tap * dilation, room);
      });
      const sum = places.reduce((total, place) => tf.add(total, place));
      return tf.reshape(window1d(sum, before, depth), [n, depth, pixels, channels]);
    },
  };
}

/**
 * `[n, size, width]` → `[n, length, newWidth]`: the window that begins at `start`, with zeros outside of the tensor.
 */
function window1d(x: Tensor, start: number, length: number, newWidth = x.shape[2]!): Tensor {
  const [n, size, width] = x.shape as [number, number, number];
  const clip = (at: number) => Math.min(Math.max(at, 0), size);
  const [from, to] = [clip(start), clip(start + length)];
  if (to <= from) return tf.zeros([n, length, newWidth]);
  const kept = to - from === size ? x : tf.slice(x, [0, from, 0], [n, to - from, width]);
  const pads: Pair = [from - start, start + length - to];
  if (pads[0] === 0 && pads[1] === 0 && newWidth === width) return kept;
  return tf.pad(kept, [[0, 0], [...pads], [0, newWidth - width]]);
}
