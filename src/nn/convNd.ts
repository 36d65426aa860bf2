import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, ParametrizeError, typeName } from '../errors.ts';
import { convolution } from '../linalg/convolution.ts';
import { outputSize, type Pair } from '../linalg/correlate.ts';
import { heightAndWidth, toChannelsFirst, toChannelsLast, toFilter } from './channelsLast.ts';
import type { Padding, ResolvedConvOptions } from './convOptions.ts';
import { holdsTensor } from './fields.ts';
import { Module } from './module.ts';
import { parameter } from './parameter.ts';
import { uniformWithin } from './random.ts';

/**
 * What the convolutions over sequences and over images have in common: the parameters, the checks, and a forward that
 * computes both as images.
 */
export abstract class ConvNd<Size extends readonly number[]> extends Module {
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the output. */
  readonly outChannels: number;
  /** Size of the kernel. */
  readonly kernelSize: Size;
  /** Steps between two outputs. */
  readonly stride: Size;
  /** Zeros on both sides of the input. */
  readonly padding: Padding<Size>;
  /** Steps between two elements of the kernel. */
  readonly dilation: Size;
  /** Number of groups that the channels are divided into. */
  readonly groups: number;
  /** W, `[outChannels, inChannels / groups, ...kernelSize]`. */
  weight: Tensor;
  /** b, `[outChannels]`, or null. */
  bias: Tensor | null;

  protected constructor(inChannels: number, outChannels: number, options: ResolvedConvOptions<Size>) {
    super();
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = options.kernelSize;
    this.stride = options.stride;
    this.padding = options.padding;
    this.dilation = options.dilation;
    this.groups = options.groups;
    const shape = [outChannels, inChannels / options.groups, ...options.kernelSize];
    const bound = 1 / Math.sqrt(tf.util.sizeFromShape(shape.slice(1)));
    this.weight = parameter(() => uniformWithin(shape, bound));
    this.bias = options.bias ? parameter(() => uniformWithin([outChannels], bound)) : null;
  }

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank or other channels, or is smaller than the
   * kernel; `DTYPE` if it is not float32
   */
  forward(x: Tensor): Tensor {
    const rank = this.kernelSize.length;
    const pads = padsOf(this);
    checkInput(this, x);
    checkSize(this, x, pads);

    const isBatched = x.rank === rank + 2;
    const image = toChannelsLast(isBatched ? x : tf.expandDims(x, 0));
    const product = convolution(image, toFilter(this.weight), {
      strides: heightAndWidth(this.stride, 1),
      dilations: heightAndWidth(this.dilation, 1),
      pads: heightAndWidth(pads, [0, 0]),
      groups: this.groups,
    });
    const bias = this.bias;
    const y = toChannelsFirst(bias === null ? product : tf.add(product, bias), rank + 2);
    return isBatched ? y : tf.squeeze(y, [0]);
  }

  override extraRepr(): string {
    const { inChannels, outChannels, kernelSize, stride, padding, dilation, groups } = this;
    const parts = [
      `${inChannels}, ${outChannels}, kernelSize=${formatShape(kernelSize)}, stride=${formatShape(stride)}`,
    ];
    if (typeof padding === 'string') parts.push(`padding=${padding}`);
    else if (padding.some((zeros) => zeros !== 0)) parts.push(`padding=${formatShape(padding)}`);
    if (dilation.some((step) => step !== 1)) parts.push(`dilation=${formatShape(dilation)}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (!holdsTensor(this, 'bias')) parts.push('bias=false');
    return parts.join(', ');
  }
}

type AnyConv = ConvNd<readonly number[]>;

/** Zeros before and after the input, along each axis. */
function padsOf({ padding, kernelSize, dilation }: AnyConv): Pair[] {
  return kernelSize.map((taps, axis): Pair => {
    if (padding === 'valid') return [0, 0];
    if (padding !== 'same') return [padding[axis]!, padding[axis]!];
    const total = (taps - 1) * dilation[axis]!;
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}

/** Refuses an input that is none of this layer's. */
function checkInput(layer: AnyConv, x: Tensor): void {
  const rank = layer.kernelSize.length;
  const axes = rank === 1 ? 'length' : 'height, width';
  if (x.rank !== rank + 1 && x.rank !== rank + 2) {
    throw new ParametrizeError(
      'SHAPE',
      `${typeName(layer)}: the input has shape ${formatShape(x.shape)}, it must be [n, channels, ${axes}] or [channels, ${axes}]. Reshape the input.`,
    );
  }
  const channels = x.shape.at(-1 - rank);
  if (channels !== layer.inChannels) {
    throw new ParametrizeError(
      'SHAPE',
      `${typeName(layer)}: the input has shape ${formatShape(x.shape)}, that is ${channels} channels, but inChannels is ${layer.inChannels}. The channels come before ${axes}: transpose an input that has them last.`,
    );
  }
  if (x.dtype !== 'float32') {
    throw new ParametrizeError(
      'DTYPE',
      `${typeName(layer)}: the input has dtype ${x.dtype}, it must have float32. Cast it with tf.cast(x, 'float32').`,
    );
  }
}

/** Refuses an input that is smaller than the kernel. */
function checkSize(layer: AnyConv, x: Tensor, pads: readonly Pair[]): void {
  const { kernelSize, stride, dilation } = layer;
  kernelSize.forEach((taps, i) => {
    const axis = x.rank - kernelSize.length + i;
    const [length, [before, after], steps] = [x.shape[axis]!, pads[i]!, dilation[i]!];
    if (outputSize(length, taps, stride[i]!, steps, [before, after]) >= 1) return;
    throw new ParametrizeError(
      'SHAPE',
      `${typeName(layer)}: the input has shape ${formatShape(x.shape)}, that is ${before + length + after} with the padding along axis ${axis}, but the kernel spans ${(taps - 1) * steps + 1}. Pass a larger input, or make the layer with more padding.`,
    );
  });
}
