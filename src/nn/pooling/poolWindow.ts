import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import type { PoolWindow } from '../../ops/pooling/maxPool.ts';
import { channelsLast, inTorchLayout, type TensorInLayout, torchLayout } from '../layout/layoutAware.ts';
import { perAxis, type SpatialInput } from '../layout/spatialInput.ts';

/** One number for all spatial axes, or a number for each. */
export type Sizes<Size> = number | Size;

/** The window of a pooling layer, as the user wrote it. */
export interface PoolSizes {
  readonly kernelSize: Sizes<readonly number[]>;
  readonly stride: Sizes<readonly number[]>;
  readonly padding: Sizes<readonly number[]>;
  readonly dilation?: Sizes<readonly number[]>;
  readonly ceilMode: boolean;
}

/**
 * Refuses sizes that are not integers in their range, and a padding of more than half the window.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkPoolSizes(caller: string, rank: number, sizes: PoolSizes): void {
  const { kernel, dilations, paddings } = written(caller, rank, sizes);
  paddings.forEach((padding, axis) => {
    const span = (kernel[axis]! - 1) * dilations[axis]! + 1;
    if (2 * padding <= span) return;
    throw refusal(
      'OPTION',
      caller,
      `padding is ${padding} along axis ${axis}, but the kernel spans ${span}, and at most half of it may lie outside of the input`,
      'Pass less padding.',
    );
  });
}

/** Returns the sizes with a number for each axis. */
function written(caller: string, rank: number, sizes: PoolSizes) {
  return {
    kernel: perAxis(caller, rank, 'kernelSize', sizes.kernelSize),
    strides: perAxis(caller, rank, 'stride', sizes.stride),
    paddings: perAxis(caller, rank, 'padding', sizes.padding, 0),
    dilations: perAxis(caller, rank, 'dilation', sizes.dilation ?? 1),
  };
}

/** A window with the padding after the input that the last output needs, and the number of outputs. */
export interface PlacedWindow extends PoolWindow {
  readonly outputs: readonly number[];
}

/**
 * Places the window of a layer on an input whose last axes have these sizes.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the input is smaller than the window
 */
export function placeWindow(layer: PoolSizes, x: SpatialInput, rank: number): PlacedWindow {
  const { kernel, strides, paddings, dilations } = written(typeName(layer), rank, layer);
  const size = x.shape.slice(-rank);
  const outputs = size.map((length, axis) => {
    const [stride, padding] = [strides[axis]!, paddings[axis]!];
    const free = length + 2 * padding - (kernel[axis]! - 1) * dilations[axis]! - 1;
    const steps = (layer.ceilMode ? Math.ceil : Math.floor)(free / stride) + 1;
    // The last window must not begin after the input.
    return layer.ceilMode && (steps - 1) * stride >= length + padding ? steps - 1 : steps;
  });
  if (outputs.some((length) => length < 1) || size.includes(0)) {
    throw refusal(
      'SHAPE',
      typeName(layer),
      `the input has shape ${formatShape(x.shape)}, which gives an output of size ${formatShape(outputs)}`,
      'Pass a larger input, or make the layer with a smaller kernel.',
    );
  }
  const pads = size.map((length, axis) => {
    const [before, last] = [paddings[axis]!, (outputs[axis]! - 1) * strides[axis]!];
    const end = last + (kernel[axis]! - 1) * dilations[axis]! + 1;
    return [before, Math.max(end - length - before, 0)] as const;
  });
  return { kernel, strides, dilations, pads, outputs };
}

/**
 * Applies a map of `[m, ...size, 1]` to every channel separately. For the kernels, a channel is an image with one
 * channel, which needs no transpose.
 */
export function mapPlanes(x: Tensor, outputs: readonly number[], map: (planes: Tensor) => Tensor): Tensor {
  const rank = outputs.length;
  const leading = x.shape.slice(0, -rank);
  const shape = [...leading, ...outputs];
  // Kernels trap on an empty tensor.
  if (x.size === 0) return tf.reshape(x, shape);
  return tf.reshape(map(tf.reshape(x, [tf.util.sizeFromShape(leading), ...x.shape.slice(-rank), 1])), shape);
}

/**
 * Applies a map of `[m, ...size, channels]`, which treats all channels alike, to a tensor in either layout. In torch's
 * layout it is applied to planes.
 */
export function mapImages(
  x: TensorInLayout,
  outputs: readonly number[],
  map: (images: Tensor) => Tensor,
): TensorInLayout {
  const { tensor, isChannelsLast } = x;
  if (!isChannelsLast || tensor.rank !== outputs.length + 2) {
    return torchLayout(mapPlanes(inTorchLayout(x), outputs, map));
  }
  const shape = [tensor.shape[0]!, ...outputs, tensor.shape.at(-1)!];
  return channelsLast(tensor.size === 0 ? tf.reshape(tensor, shape) : map(tensor));
}

/** Formats a size as the user wrote it: `2`, `[2, 3]`. */
export const formatSizes = (size: Sizes<readonly (number | null)[]> | null): string =>
  Array.isArray(size) ? `[${size.map(String).join(', ')}]` : String(size);
