import type * as tf from '@tensorflow/tfjs-core';

/** torch's Conv2d in float64, straight from its formula; pads are [[top, bottom], [left, right]]. */
export function directConv(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor | null,
  stride: readonly number[],
  dilation: readonly number[],
  pads: readonly (readonly number[])[],
  groups: number,
): { shape: number[]; values: number[] } {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [outChannels, inPerGroup, kh, kw] = weight.shape as [number, number, number, number];
  const out = (size: number, taps: number, axis: number) =>
    Math.floor(
      (size + pads[axis]![0]! + pads[axis]![1]! - (taps - 1) * dilation[axis]! - 1) / stride[axis]!,
    ) + 1;
  const shape = [n, outChannels, out(height, kh, 0), out(width, kw, 1)];
  const [input, kernel, offsets] = [x.dataSync(), weight.dataSync(), bias?.dataSync()];
  const values: number[] = [];
  for (let b = 0; b < n; b++)
    for (let o = 0; o < outChannels; o++)
      for (let p = 0; p < shape[2]!; p++)
        for (let q = 0; q < shape[3]!; q++) {
          let sum = offsets?.[o] ?? 0;
          for (let c = 0; c < inPerGroup; c++)
            for (let i = 0; i < kh; i++)
              for (let j = 0; j < kw; j++) {
                const row = p * stride[0]! + i * dilation[0]! - pads[0]![0]!;
                const column = q * stride[1]! + j * dilation[1]! - pads[1]![0]!;
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const channel = Math.floor((o * groups) / outChannels) * inPerGroup + c;
                sum +=
                  input[((b * channels + channel) * height + row) * width + column]! *
                  kernel[((o * inPerGroup + c) * kh + i) * kw + j]!;
              }
          values.push(sum);
        }
  return { shape, values };
}

/** The same zeros on both sides of each axis. */
export const symmetric = ([h, w]: readonly [number, number]) => [
  [h, h],
  [w, w],
];
