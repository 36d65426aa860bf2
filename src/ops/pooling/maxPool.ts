import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { convolutionNd, convolutionNdInputGradient, type GeometryNd } from '../convolution/convolutionNd.ts';
import { outputSize, type Pair } from '../convolution/correlate.ts';
import { transpose } from '../matrix/transpose.ts';

/** A window that moves over one or two axes. Elements outside of the input are never the largest. */
export interface PoolWindow {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** The numbers of elements before and after the input, none negative. */
  readonly pads: readonly Pair[];
}

/** The value outside of the input. It is not −∞, because 0·(−∞) is NaN. */
const LOWEST = -3.4028234663852886e38;

/**
 * Returns the largest element of every window, for any stride, dilation and padding.
 *
 * @remarks
 * **Shape**: x `[n, ...size, channels]`; output `[n, ...outputs, channels]`.
 * **Gradient**: of any order. It goes to the first of the largest elements, as in torch.
 * **Ownership**: returns a new tensor, as any op.
 */
export function maxPool(x: Tensor, window: PoolWindow): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const save = inputs[1] as unknown as tf.GradSaveFunc;
    const result = largest(x, window);
    save([x]);
    return {
      value: result,
      gradFunc: (dy, saved) => {
        const [x] = saved as [Tensor];
        return fromPlanes(toLargest(toPlanes(dy as Tensor), toPlanes(x), window), x.shape);
      },
    };
  });
  return operation(x);
}

/**
 * `[n, ...size, channels]` → `[n · channels, ...size, 1]`. This and its inverse take less time than a convolution by
 * channels.
 */
function toPlanes(x: Tensor): Tensor {
  const [n, size, channels] = [x.shape[0]!, x.shape.slice(1, -1), x.shape.at(-1)!];
  const rows = tf.reshape(x, [n, tf.util.sizeFromShape(size), channels]);
  return tf.reshape(transpose(rows), [n * channels, ...size, 1]);
}

/** `[n · channels, ...size, 1]` → `shape`, which is `[n, ...size, channels]`. */
function fromPlanes(planes: Tensor, shape: number[]): Tensor {
  const [n, channels] = [shape[0]!, shape.at(-1)!];
  const rows = tf.reshape(planes, [n, channels, tf.util.sizeFromShape(shape.slice(1, -1))]);
  return tf.reshape(transpose(rows), shape);
}

/**
 * Adds every element of dy to the position of the largest x of its window, for tensors of one channel. The map is
 * linear in dy, and the transpose of {@link atLargest}.
 */
function toLargest(dy: Tensor, x: Tensor, window: PoolWindow): Tensor {
  return linearAt(
    dy,
    x,
    (dy, x) => {
      const spread = tf.mul(isLargest(x, window), dy);
      return convolutionNdInputGradient(spread, everyTap(window), x.shape, geometryOf(window, window.pads));
    },
    (dx, x) => atLargest(dx, x, window),
  );
}

/** Returns the element of g at the position of the largest x of every window. */
function atLargest(g: Tensor, x: Tensor, window: PoolWindow): Tensor {
  return linearAt(
    g,
    x,
    (g, x) => {
      const taps = convolutionNd(g, everyTap(window), geometryOf(window, window.pads));
      return tf.sum(tf.mul(isLargest(x, window), taps), -1, true);
    },
    (dy, x) => toLargest(dy, x, window),
  );
}

/** Makes an operation that is linear in its first argument and piecewise constant in the second. */
function linearAt(
  a: Tensor,
  x: Tensor,
  value: (a: Tensor, x: Tensor) => Tensor,
  transpose: (b: Tensor, x: Tensor) => Tensor,
): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const save = inputs[2] as unknown as tf.GradSaveFunc;
    const result = value(a, x);
    save([x]);
    return {
      value: result,
      gradFunc: (dy, saved) => {
        const [savedX] = saved as [Tensor];
        return [transpose(dy as Tensor, savedX), tf.zerosLike(savedX)];
      },
    };
  });
  return operation(a, x);
}

function largest(x: Tensor, window: PoolWindow): Tensor {
  const { kernel, strides, dilations, pads } = window;
  const isSimple = dilations.every((dilation) => dilation === 1) && kernel.some((taps) => taps > 1);
  if (!isSimple) return largestByAxis(x, window);
  const image = (x.rank === 3 ? tf.expandDims(x, 1) : x) as tf.Tensor4D;
  const two = <T>(axes: readonly T[], height: T): [T, T] => [axes.at(-2) ?? height, axes.at(-1)!];
  const [[top, bottom], [left, right]] = two(pads, [0, 0]);
  const padding: tf.backend_util.ExplicitPadding = [[0, 0], [top, bottom], [left, right], [0, 0]]; // biome-ignore format: a pair for each axis
  const y = tf.maxPool(image, two(kernel, 1), two(strides, 1), padding);
  return x.rank === 3 ? tf.squeeze(y, [1]) : y;
}

/** Computes the largest of shifted copies, axis by axis, for windows that `tf.maxPool` refuses. */
function largestByAxis(x: Tensor, { kernel, strides, dilations, pads }: PoolWindow): Tensor {
  let y: Tensor = tf.pad(x, [[0, 0], ...pads.map(([a, b]): [number, number] => [a, b]), [0, 0]], -Infinity);
  kernel.forEach((taps, i) => {
    const axis = i + 1;
    const [stride, dilation, length] = [strides[i]!, dilations[i]!, y.shape[axis]!];
    const outputs = outputSize(length, taps, stride, dilation, [0, 0]);
    const shifted = Array.from({ length: taps }, (_, tap) => {
      const [begin, end, steps] = [y.shape.map(() => 0), [...y.shape], y.shape.map(() => 1)];
      begin[axis] = tap * dilation;
      end[axis] = tap * dilation + (outputs - 1) * stride + 1;
      steps[axis] = stride;
      return tf.stridedSlice(y, begin, end, steps);
    });
    y = shifted.reduce((most, copy) => tf.maximum(most, copy));
  });
  return y;
}

/** Returns 1 for the first of the largest elements of every window and 0 for the others: `[m, ...outputs, taps]`. */
function isLargest(x: Tensor, window: PoolWindow): Tensor {
  const pads = window.pads.map(([before, after]): [number, number] => [before, after]);
  const padded = tf.pad(tf.clipByValue(x, LOWEST, -LOWEST), [[0, 0], ...pads, [0, 0]], LOWEST);
  const inside = pads.map((): Pair => [0, 0]);
  const taps = convolutionNd(padded, everyTap(window), geometryOf(window, inside));
  const size = taps.shape.at(-1)!;
  // tf.oneHot refuses a depth of 1, and the wasm kernel writes integers into a float32 result.
  return size === 1
    ? tf.onesLike(taps)
    : tf.cast(tf.oneHot(tf.argMax(taps, -1) as tf.Tensor1D, size), 'float32');
}

/** Makes the filter that turns every element of the window into a channel: `[...kernel, 1, taps]`. */
function everyTap({ kernel }: PoolWindow): Tensor {
  const taps = tf.util.sizeFromShape([...kernel]);
  return tf.reshape(tf.eye(taps), [...kernel, 1, taps]);
}

function geometryOf({ strides, dilations }: PoolWindow, pads: readonly Pair[]): GeometryNd {
  return { strides, dilations, pads, groups: 1 };
}
