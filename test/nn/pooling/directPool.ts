import type * as tf from '@tensorflow/tfjs-core';
import { indices } from '../convolution/directConvNd.ts';

/** The options of a pooling layer, with a number for each axis. */
export interface DirectWindow {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly ceilMode: boolean;
}

/** The number of windows along one axis, as torch's pooling_output_shape. */
export function pooledLength(length: number, axis: number, window: DirectWindow): number {
  const [stride, padding] = [window.stride[axis]!, window.padding[axis]!];
  const span = window.dilation[axis]! * (window.kernelSize[axis]! - 1) + 1;
  const free = length + 2 * padding - span + (window.ceilMode ? stride - 1 : 0);
  const outputs = Math.floor(free / stride) + 1;
  return window.ceilMode && (outputs - 1) * stride >= length + padding ? outputs - 1 : outputs;
}

/**
 * Calls `summarize` with the elements of every window that lie in the input, and with the number of elements that lie in
 * the input or its padding.
 */
export function directPool(
  x: tf.Tensor,
  window: DirectWindow,
  summarize: (inside: number[], padded: number) => number,
): { shape: number[]; values: number[] } {
  const rank = window.kernelSize.length;
  const [leading, size] = [x.shape.slice(0, -rank), x.shape.slice(-rank)];
  const outputs = size.map((length, axis) => pooledLength(length, axis, window));
  const planes = leading.reduce((a, b) => a * b, 1);
  const pixels = size.reduce((a, b) => a * b, 1);
  const input = x.dataSync();
  const values: number[] = [];
  for (let plane = 0; plane < planes; plane++)
    for (const output of indices(outputs)) {
      const inside: number[] = [];
      let padded = 0;
      for (const tap of indices(window.kernelSize)) {
        const place = output.map(
          (p, axis) => p * window.stride[axis]! + tap[axis]! * window.dilation[axis]! - window.padding[axis]!,
        );
        if (place.every((at, axis) => at < size[axis]! + window.padding[axis]!)) padded++;
        if (place.some((at, axis) => at < 0 || at >= size[axis]!)) continue;
        inside.push(input[plane * pixels + place.reduce((sum, at, axis) => sum * size[axis]! + at, 0)]!);
      }
      values.push(summarize(inside, padded));
    }
  return { shape: [...leading, ...outputs], values };
}
