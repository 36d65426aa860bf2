import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { broadcastParameter } from '../../ops/broadcastParameter.ts';
import { convolutionNdInputGradient } from '../../ops/convolution/convolutionNd.ts';
import type { Pair } from '../../ops/convolution/correlate.ts';
import { toFilter } from '../layout/channelsLast.ts';
import {
  inTorchLayout,
  LAYOUT_AWARE,
  mapChannelsLast,
  type TensorInLayout,
  torchLayout,
} from '../layout/layoutAware.ts';
import { checkChannels, type SpatialInput } from '../layout/spatialInput.ts';
import { OUTPUT_AXIS } from '../module/outputAxis.ts';
import { ConvNd } from './convNd.ts';
import type { ResolvedConvOptions } from './convOptions.ts';

/** The base class of the transposed convolutions over sequences, images and volumes. */
export abstract class TransposedConvolution<Size extends readonly number[]> extends ConvNd<Size> {
  /** The number of elements removed from both sides of the output. */
  declare readonly padding: Size;

  protected constructor(inChannels: number, outChannels: number, options: ResolvedConvOptions<Size, Size>) {
    super(inChannels, outChannels, options, true);
  }

  /**
   * @param outputSize - the size of the output, with or without batch and channels, instead of the layer's
   * outputPadding. With a stride, inputs of one size can give outputs of several sizes
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank or other channels, the output would be
   * empty, or no outputPadding gives outputSize; `DTYPE` if the input is not float32
   */
  forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    return inTorchLayout(this[LAYOUT_AWARE](torchLayout(x), outputSize));
  }

  /** @internal */
  get [OUTPUT_AXIS](): 1 {
    return 1;
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout, outputSize?: readonly number[]): TensorInLayout {
    return mapChannelsLast(x, this.kernelSize.length, (input) => mapOf(this, input, outputSize));
  }
}

type AnyTransposed = TransposedConvolution<readonly number[]>;

/** Returns the transposed convolution of channels-last batches. */
function mapOf(
  layer: AnyTransposed,
  input: SpatialInput,
  outputSize: readonly number[] | undefined,
): (batch: Tensor) => Tensor {
  const { kernelSize, stride, dilation, padding, groups, outChannels } = layer;
  const rank = kernelSize.length;
  checkChannels(layer, input, rank);
  const inputs = input.shape.slice(-rank);
  const outputPadding = outputSize === undefined ? layer.outputPadding : added(layer, input, outputSize);
  const size = smallestOutput(layer, inputs).map((smallest, axis) => smallest + outputPadding[axis]!);
  checkOutput(layer, input, size);
  return (batch) => {
    const shape = [batch.shape[0]!, ...size, outChannels];
    const product = convolutionNdInputGradient(batch, toFilter(layer.weight), shape, {
      strides: stride,
      dilations: dilation,
      // The outputPadding is not padding of the transposed convolution; it extends the output.
      pads: padding.map((pad, axis): Pair => [pad, pad - outputPadding[axis]!]),
      groups,
    });
    const bias = layer.bias;
    return bias === null ? product : tf.add(product, broadcastParameter(bias, product));
  };
}

/** Returns the size of the output without outputPadding. */
function smallestOutput(layer: AnyTransposed, inputs: readonly number[]): number[] {
  const { kernelSize, stride, dilation, padding } = layer;
  return inputs.map(
    (length, axis) =>
      (length - 1) * stride[axis]! - 2 * padding[axis]! + dilation[axis]! * (kernelSize[axis]! - 1) + 1,
  );
}

/** Returns the outputPadding that gives the requested size. */
function added(layer: AnyTransposed, x: SpatialInput, outputSize: readonly number[]): number[] {
  const rank = layer.kernelSize.length;
  const wanted = outputSize.length === x.rank ? outputSize.slice(-rank) : outputSize;
  const smallest = smallestOutput(layer, x.shape.slice(-rank));
  const largest = smallest.map((size, axis) => size + layer.stride[axis]! - 1);
  const fits = (size: number | undefined, axis: number) =>
    Number.isInteger(size) && size! >= smallest[axis]! && size! <= largest[axis]!;
  if (wanted.length !== rank || !wanted.every(fits)) {
    throw refusal(
      'SHAPE',
      typeName(layer),
      `outputSize is ${formatShape(outputSize)}, but an input of shape ${formatShape(x.shape)} gives outputs of sizes from ${formatShape(smallest)} to ${formatShape(largest)}`,
      'Pass a size between them.',
    );
  }
  return wanted.map((size, axis) => size - smallest[axis]!);
}

/** Refuses an input whose output would be empty. */
function checkOutput(layer: AnyTransposed, x: SpatialInput, size: readonly number[]): void {
  if (size.every((length) => length >= 1)) return;
  throw refusal(
    'SHAPE',
    typeName(layer),
    `the input has shape ${formatShape(x.shape)}, which gives an output of size ${formatShape(size)}`,
    'Pass a larger input, or make the layer with less padding.',
  );
}
