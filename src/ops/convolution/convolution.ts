import type { Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type ConvolutionGeometry, correlate } from './correlate.ts';
import { correlateInput } from './correlateInput.ts';

// tfjs has no gradient of a dilated convolution on any backend, no filter gradient on wasm, and no second-order
// gradient of a grouped convolution. A convolution is linear in its input and in its filter. So three maps are closed
// under differentiation: y(x, w), its transpose with respect to x, and its transpose with respect to w. The gradients
// of each function below are the other two. All three are computed as correlations, because every backend has that
// kernel.

type Shape4D = [number, number, number, number];

/**
 * 2-d convolution (cross-correlation, as in every deep-learning library), for any stride, dilation, padding and number
 * of groups, on every backend.
 *
 * `y[n, p, q, o] = Σᵢⱼ꜀ x[n, p·sₕ + i·dₕ − top, q·s_w + j·d_w − left, c] · w[i, j, c, o]`, c over the channels of o's
 * group
 *
 * @remarks
 * **Shape**: x `[n, height, width, groups·in]`, filter `[kh, kw, in, groups·out]`; output `[n, oh, ow, groups·out]`,
 * which must not be empty.
 * **Gradient**: with respect to x and filter, of any order.
 * **Ownership**: returns a new tensor, as any op.
 *
 * @see torch.nn.functional.conv2d
 */
export function convolution(x: Tensor4D, filter: Tensor4D, geometry: ConvolutionGeometry): Tensor4D {
  return bilinear(
    x,
    filter,
    () => correlate(x, filter, geometry),
    (dy, x, filter) => [
      convolutionInputGradient(dy, filter, x.shape, geometry),
      convolutionFilterGradient(x, dy, filter.shape, geometry),
    ],
  );
}

/**
 * The gradient of {@link convolution} with respect to its input, which is also the transposed convolution.
 *
 * `dx = ∂⟨y(x, w), dy⟩ / ∂x`, linear in dy and in w
 *
 * @remarks
 * **Shape**: dy `[n, oh, ow, groups·out]`, filter `[kh, kw, in, groups·out]`; output `inputShape`, for which the
 * convolution has the shape of dy.
 * **Gradient**: with respect to dy and filter, of any order.
 * **Ownership**: returns a new tensor, as any op.
 *
 * @see torch.nn.functional.conv_transpose2d
 */
export function convolutionInputGradient(
  dy: Tensor4D,
  filter: Tensor4D,
  inputShape: Shape4D,
  geometry: ConvolutionGeometry,
): Tensor4D {
  return bilinear(
    dy,
    filter,
    () => (dy.size === 0 ? tf.zeros(inputShape) : correlateInput(dy, filter, inputShape, geometry)),
    (dx, dy, filter) => [
      convolution(dx, filter, geometry),
      convolutionFilterGradient(dx, dy, filter.shape, geometry),
    ],
  );
}

/**
 * The gradient of {@link convolution} with respect to its filter.
 *
 * `dw = ∂⟨y(x, w), dy⟩ / ∂w`, linear in x and in dy
 *
 * @remarks
 * **Shape**: x `[n, height, width, groups·in]`, dy `[n, oh, ow, groups·out]`; output `filterShape`.
 * **Gradient**: with respect to x and dy, of any order.
 * **Ownership**: returns a new tensor, as any op.
 */
export function convolutionFilterGradient(
  x: Tensor4D,
  dy: Tensor4D,
  filterShape: Shape4D,
  geometry: ConvolutionGeometry,
): Tensor4D {
  return bilinear(
    x,
    dy,
    () =>
      isPointwise(filterShape, geometry)
        ? correlateFilter(asBatch(x), asBatch(dy), filterShape, geometry)
        : correlateFilter(x, dy, filterShape, geometry),
    (dw, x, dy) => [convolutionInputGradient(dy, dw, x.shape, geometry), convolution(x, dw, geometry)],
  );
}

/** Makes an operation on two tensors with a gradient for each. tfjs can differentiate the gradients again. */
function bilinear(
  a: Tensor4D,
  b: Tensor4D,
  value: () => Tensor4D,
  gradients: (dValue: Tensor4D, a: Tensor4D, b: Tensor4D) => [Tensor4D, Tensor4D],
): Tensor4D {
  const operation = tf.customGrad((...inputs) => {
    const save = inputs[2] as unknown as tf.GradSaveFunc;
    const result = value();
    save([a, b]);
    return {
      value: result,
      gradFunc: (dValue, saved) => {
        const [savedA, savedB] = saved as Tensor4D[];
        return gradients(dValue as Tensor4D, savedA!, savedB!);
      },
    };
  });
  return operation(a, b) as Tensor4D;
}

/** True if every output pixel depends on the input pixel at the same position, and on no other. */
function isPointwise([kh, kw]: Shape4D, { strides, pads, groups }: ConvolutionGeometry): boolean {
  return kh * kw * strides[0] * strides[1] * groups === 1 && pads.flat().every((pad) => pad === 0);
}

/**
 * Turns every pixel into an image. The filter gradient is then one matrix product, which is up to twice as fast on
 * wasm.
 */
function asBatch(images: Tensor4D): Tensor4D {
  const [n, height, width, channels] = images.shape;
  return tf.reshape(images, [n * height * width, 1, 1, channels]);
}

/**
 * Computes the filter gradient as one correlation. The batch takes the role of the channels, and the input channels the
 * role of the batch. Strides and dilations swap: the taps of dw are one dilation apart, and the elements of dy one
 * stride.
 */
function correlateFilter(
  x: Tensor4D,
  dy: Tensor4D,
  [kh, kw, inPerGroup, outChannels]: Shape4D,
  { strides, dilations, pads, groups }: ConvolutionGeometry,
): Tensor4D {
  const [n, height, width] = x.shape;
  const [, dyHeight, dyWidth] = dy.shape;
  // Exactly kh × kw outputs. Rows that the strides never reach are cut off.
  const after = (taps: number, axis: 0 | 1): number =>
    (taps - 1) * dilations[axis] +
    (dy.shape[axis + 1]! - 1) * strides[axis] +
    1 -
    x.shape[axis + 1]! -
    pads[axis][0];
  const image = tf.transpose(tf.reshape(x, [n, height * width, groups, inPerGroup]), [3, 1, 2, 0]);
  const window = tf.transpose(tf.reshape(dy, [n, dyHeight * dyWidth, outChannels]), [1, 0, 2]);
  const dw = correlate(
    tf.reshape(image, [inPerGroup, height, width, groups * n]),
    tf.reshape(window, [dyHeight, dyWidth, n, outChannels]),
    {
      strides: dilations,
      dilations: strides,
      pads: [
        [pads[0][0], after(kh, 0)],
        [pads[1][0], after(kw, 1)],
      ],
      groups,
    },
  );
  const byTap = tf.transpose(tf.reshape(dw, [inPerGroup, kh * kw, outChannels]), [1, 0, 2]);
  return tf.reshape(byTap, [kh, kw, inPerGroup, outChannels]);
}
