import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { broadcastParameter } from '../../ops/broadcastParameter.ts';
import { convolutionNd } from '../../ops/convolution/convolutionNd.ts';
import { outputSize, type Pair } from '../../ops/convolution/correlate.ts';
import { toFilter } from '../layout/channelsLast.ts';
import {
  inTorchLayout,
  LAYOUT_AWARE,
  mapChannelsLast,
  type TensorInLayout,
  torchLayout,
} from '../layout/layoutAware.ts';
import { checkChannels, type SpatialInput } from '../layout/spatialInput.ts';
import { checkReach, padAxes } from '../padding/padAxes.ts';
import { ConvNd } from './convNd.ts';
import type { ResolvedConvOptions } from './convOptions.ts';

/** The base class of the convolutions over sequences, images and volumes. */
export abstract class Convolution<Size extends readonly number[]> extends ConvNd<Size> {
  protected constructor(inChannels: number, outChannels: number, options: ResolvedConvOptions<Size>) {
    super(inChannels, outChannels, options, false);
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank or other channels, is smaller than the
   * kernel, or is too small to be padded with itself; `DTYPE` if it is not float32
   */
  forward(x: Tensor): Tensor {
    return inTorchLayout(this[LAYOUT_AWARE](torchLayout(x)));
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout): TensorInLayout {
    return mapChannelsLast(x, this.kernelSize.length, (input) => mapOf(this, input));
  }
}

type AnyConvolution = Convolution<readonly number[]>;

/** Returns the convolution of channels-last batches. */
function mapOf(layer: AnyConvolution, input: SpatialInput): (batch: Tensor) => Tensor {
  const { paddingMode, stride, dilation, groups, kernelSize } = layer;
  const pads = padsOf(layer);
  checkChannels(layer, input, kernelSize.length);
  checkSize(layer, input, pads);
  const isZeros = paddingMode === 'zeros' || pads.flat().every((pad) => pad === 0);
  if (!isZeros) checkReach(typeName(layer), input.shape, input.rank - kernelSize.length, pads, paddingMode);
  return (batch) => {
    const padded = isZeros ? batch : padAxes(typeName(layer), batch, 1, pads, paddingMode);
    const product = convolutionNd(padded, toFilter(layer.weight), {
      strides: stride,
      dilations: dilation,
      pads: isZeros ? pads : pads.map((): Pair => [0, 0]),
      groups,
    });
    const bias = layer.bias;
    return bias === null ? product : tf.add(product, broadcastParameter(bias, product));
  };
}

/** Returns the numbers of elements before and after the input, along each axis. */
function padsOf({ padding, kernelSize, dilation }: AnyConvolution): Pair[] {
  return kernelSize.map((taps, axis): Pair => {
    if (padding === 'valid') return [0, 0];
    const total = (taps - 1) * dilation[axis]!;
    if (padding === 'causal') return [total, 0];
    if (padding !== 'same') return [padding[axis]!, padding[axis]!];
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}

/** Refuses an input that is smaller than the kernel. */
function checkSize(layer: AnyConvolution, x: SpatialInput, pads: readonly Pair[]): void {
  const { kernelSize, stride, dilation } = layer;
  kernelSize.forEach((taps, i) => {
    const axis = x.rank - kernelSize.length + i;
    const [length, [before, after], steps] = [x.shape[axis]!, pads[i]!, dilation[i]!];
    if (outputSize(length, taps, stride[i]!, steps, [before, after]) >= 1) return;
    throw refusal(
      'SHAPE',
      typeName(layer),
      `the input has shape ${formatShape(x.shape)}, that is ${before + length + after} with the padding along axis ${axis}, but the kernel spans ${(taps - 1) * steps + 1}`,
      'Pass a larger input, or make the layer with more padding.',
    );
  });
}
