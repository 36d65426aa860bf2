import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { convolutionFilterGradient, convolutionInputGradient } from '../../ops/convolution/convolution.ts';
import type { ConvolutionGeometry } from '../../ops/convolution/correlate.ts';

type Shape4D = [number, number, number, number];

/** The arguments that tfjs gives a convolution. */
interface ConvolutionAttributes {
  readonly strides: number | [number, number];
  readonly dilations?: number | [number, number];
  readonly pad: number | 'valid' | 'same' | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW';
}

/** The filter gradient of `Conv2D`, of images in either layout. */
export function conv2DBackpropFilter(
  { x, dy }: { readonly x: Tensor4D; readonly dy: Tensor4D },
  { filterShape, ...attributes }: ConvolutionAttributes & { readonly filterShape: Shape4D },
): Tensor {
  const geometry = geometryOf(x.shape, filterShape, attributes, 1);
  const [image, dImage] = attributes.dataFormat === 'NCHW' ? [channelsLast(x), channelsLast(dy)] : [x, dy];
  return convolutionFilterGradient(image, dImage, filterShape, geometry);
}

/** The filter gradient of `DepthwiseConv2dNative`. */
export function depthwiseConv2dNativeBackpropFilter(
  { x, dy }: { readonly x: Tensor4D; readonly dy: Tensor4D },
  { filterShape, ...attributes }: ConvolutionAttributes & { readonly filterShape: Shape4D },
): Tensor {
  const geometry = geometryOf(x.shape, filterShape, attributes, filterShape[2]);
  return tf.reshape(convolutionFilterGradient(x, dy, grouped(filterShape), geometry), filterShape);
}

/** The input gradient of `DepthwiseConv2dNative`. */
export function depthwiseConv2dNativeBackpropInput(
  { dy, filter }: { readonly dy: Tensor4D; readonly filter: Tensor4D },
  { inputShape, ...attributes }: ConvolutionAttributes & { readonly inputShape: Shape4D },
): Tensor {
  const geometry = geometryOf(inputShape, filter.shape, attributes, filter.shape[2]);
  return convolutionInputGradient(dy, tf.reshape(filter, grouped(filter.shape)), inputShape, geometry);
}

const channelsLast = (x: Tensor4D): Tensor4D => tf.transpose(x, [0, 2, 3, 1]);

/** A depthwise filter, [kh, kw, in, multiplier], has a group for each input channel: [kh, kw, 1, in·multiplier]. */
const grouped = ([kh, kw, channels, multiplier]: Shape4D): Shape4D => [kh, kw, 1, channels * multiplier];

function geometryOf(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, dilations = 1, pad, dimRoundingMode, dataFormat }: ConvolutionAttributes,
  groups: number,
): ConvolutionGeometry {
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } =
    tf.backend_util.computeConv2DInfo(
      inputShape,
      filterShape,
      strides,
      dilations,
      pad,
      dimRoundingMode,
      groups > 1,
      dataFormat === 'NCHW' ? 'channelsFirst' : 'channelsLast',
    );
  return {
    strides: [strideHeight, strideWidth],
    dilations: [dilationHeight, dilationWidth],
    pads: [
      [padInfo.top, padInfo.bottom],
      [padInfo.left, padInfo.right],
    ],
    groups,
  };
}
