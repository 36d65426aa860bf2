import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape } from '../../core/shapes.ts';
import { uniformWithin } from '../init/random.ts';
import { holdsTensor } from '../module/fields.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';
import type { PaddingMode } from '../padding/padAxes.ts';
import type { PaddingOrCausal, ResolvedConvOptions } from './convOptions.ts';

/** The base class of convolutions and transposed convolutions: the parameters, the checks and the printed form. */
export abstract class ConvNd<Size extends readonly number[]> extends Module {
  /** The number of channels of the input. */
  readonly inChannels: number;
  /** The number of channels of the output. */
  readonly outChannels: number;
  /** The size of the kernel. */
  readonly kernelSize: Size;
  /**
   * The distance of two outputs, in input elements. For a transposed convolution, the distance of two inputs, in output
   * elements.
   */
  readonly stride: Size;
  /**
   * The number of elements added on both sides of the input. For a transposed convolution, the number removed from both
   * sides of the output.
   */
  readonly padding: PaddingOrCausal<Size>;
  /** The distance of two elements of the kernel. */
  readonly dilation: Size;
  /** The number of elements that a transposed convolution adds at the end of the output. */
  readonly outputPadding: Size;
  /** The number of groups of channels. */
  readonly groups: number;
  /** The content of the padding. */
  readonly paddingMode: PaddingMode;
  /**
   * W, `[outChannels, inChannels / groups, ...kernelSize]`; for a transposed convolution
   * `[inChannels, outChannels / groups, ...kernelSize]`.
   */
  weight: Tensor;
  /** b, `[outChannels]`, or null. */
  bias: Tensor | null;

  protected constructor(
    inChannels: number,
    outChannels: number,
    options: ResolvedConvOptions<Size>,
    transposed: boolean,
  ) {
    super();
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = options.kernelSize;
    this.stride = options.stride;
    this.padding = options.padding;
    this.dilation = options.dilation;
    this.outputPadding = options.outputPadding;
    this.groups = options.groups;
    this.paddingMode = options.paddingMode;
    const [first, second] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
    const shape = [first, second / options.groups, ...options.kernelSize];
    const bound = 1 / Math.sqrt(tf.util.sizeFromShape(shape.slice(1)));
    this.weight = parameter(() => uniformWithin(shape, bound));
    this.bias = options.bias ? parameter(() => uniformWithin([outChannels], bound)) : null;
  }

  override extraRepr(): string {
    const { inChannels, outChannels, kernelSize, stride, padding, dilation, outputPadding, groups } = this;
    const differs = (size: Size, standard: number) => size.some((number) => number !== standard);
    const parts = [
      `${inChannels}, ${outChannels}, kernelSize=${formatShape(kernelSize)}, stride=${formatShape(stride)}`,
    ];
    if (typeof padding === 'string') parts.push(`padding=${padding}`);
    else if (differs(padding, 0)) parts.push(`padding=${formatShape(padding)}`);
    if (differs(dilation, 1)) parts.push(`dilation=${formatShape(dilation)}`);
    if (differs(outputPadding, 0)) parts.push(`outputPadding=${formatShape(outputPadding)}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (!holdsTensor(this, 'bias')) parts.push('bias=false');
    if (this.paddingMode !== 'zeros') parts.push(`paddingMode=${this.paddingMode}`);
    return parts.join(', ');
  }
}
