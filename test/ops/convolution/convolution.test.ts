import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  convolution,
  convolutionFilterGradient,
  convolutionInputGradient,
} from '../../../src/ops/convolution/convolution.ts';
import type { ConvolutionGeometry } from '../../../src/ops/convolution/correlate.ts';
import { flatten } from '../../toBeAllClose.ts';
import { caseOf, cases, numbers, tensor } from './convolutionCase.ts';
import {
  type ConvolutionCase,
  directFilterGradient,
  directInputGradient,
  directOutput,
} from './directConvolution.ts';

describe('convolution', () => {
  it('equals the sum of its definition for any stride, dilation, padding and number of groups', () => {
    fc.assert(
      fc.property(cases, fc.nat(), (c, seed) => {
        tf.tidy(() => {
          const [x, w] = [tensor(c.inputShape, seed), tensor(c.filterShape, seed + 1)];
          const y = convolution(x, w, c);
          expect(y.shape).toEqual(c.outputShape);
          expect(y).toBeAllClose(directOutput(c, x.dataSync(), w.dataSync()), { absolute: 1e-5 });
        });
      }),
    );
  });

  it('has the input and the filter gradient of its definition', () => {
    fc.assert(
      fc.property(cases, fc.nat(), (c, seed) => {
        tf.tidy(() => {
          const [x, w, dy] = [
            tensor(c.inputShape, seed),
            tensor(c.filterShape, seed + 1),
            tensor(c.outputShape, seed + 2),
          ];
          const [dx, dw] = tf.grads((x, w) => convolution(x as tf.Tensor4D, w as tf.Tensor4D, c))([x, w], dy);
          expect(dx!.shape).toEqual(c.inputShape);
          expect(dw!.shape).toEqual(c.filterShape);
          expect(dx!).toBeAllClose(directInputGradient(c, dy.dataSync(), w.dataSync()), { absolute: 1e-5 });
          expect(dw!).toBeAllClose(directFilterGradient(c, x.dataSync(), dy.dataSync()), { absolute: 1e-5 });
        });
      }),
    );
  });

  it('has an input gradient whose own gradients are those of its definition', () => {
    fc.assert(
      fc.property(cases, fc.nat(), (c, seed) => {
        tf.tidy(() => {
          const [g, w, dy] = [
            tensor(c.inputShape, seed),
            tensor(c.filterShape, seed + 1),
            tensor(c.outputShape, seed + 2),
          ];
          const [gDy, gW] = tf.grads((dy, w) =>
            convolutionInputGradient(dy as tf.Tensor4D, w as tf.Tensor4D, c.inputShape, c),
          )([dy, w], g);
          expect(gDy!).toBeAllClose(directOutput(c, g.dataSync(), w.dataSync()), { absolute: 1e-5 });
          expect(gW!).toBeAllClose(directFilterGradient(c, g.dataSync(), dy.dataSync()), { absolute: 1e-5 });
        });
      }),
    );
  });

  it('has a filter gradient whose own gradients are those of its definition', () => {
    fc.assert(
      fc.property(cases, fc.nat(), (c, seed) => {
        tf.tidy(() => {
          const [x, g, dy] = [
            tensor(c.inputShape, seed),
            tensor(c.filterShape, seed + 1),
            tensor(c.outputShape, seed + 2),
          ];
          const [gX, gDy] = tf.grads((x, dy) =>
            convolutionFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, c.filterShape, c),
          )([x, dy], g);
          expect(gX!).toBeAllClose(directInputGradient(c, dy.dataSync(), g.dataSync()), { absolute: 1e-5 });
          expect(gDy!).toBeAllClose(directOutput(c, x.dataSync(), g.dataSync()), { absolute: 1e-5 });
        });
      }),
    );
  });

  it('computes groups of many channels one after the other and groups of few all at once, alike', () => {
    for (const [groups, inPerGroup, outPerGroup, n] of [
      [2, 5, 3, 3],
      [6, 2, 2, 2],
      [8, 1, 1, 9],
      [5, 1, 3, 2],
    ] as const) {
      const c = caseOf(
        {
          strides: [2, 1],
          dilations: [1, 1],
          pads: [
            [1, 1],
            [0, 2],
          ],
          groups,
        },
        { n, size: [6, 5], kernel: [3, 2], inPerGroup, outPerGroup },
      );
      tf.tidy(() => {
        const [x, w, dy] = [tensor(c.inputShape, 1), tensor(c.filterShape, 2), tensor(c.outputShape, 3)];
        const { value, grads } = tf.valueAndGrads((x, w) =>
          convolution(x as tf.Tensor4D, w as tf.Tensor4D, c),
        )([x, w], dy);
        expect(value).toBeAllClose(directOutput(c, x.dataSync(), w.dataSync()), { absolute: 1e-5 });
        expect(grads[0]!).toBeAllClose(directInputGradient(c, dy.dataSync(), w.dataSync()), {
          absolute: 1e-5,
        });
        expect(grads[1]!).toBeAllClose(directFilterGradient(c, x.dataSync(), dy.dataSync()), {
          absolute: 1e-5,
        });
      });
    }
  });

  it('gives the pixels that no output sees the gradient zero', () => {
    // The only pixel lies behind the last step of the stride.
    const c = caseOf(
      {
        strides: [3, 3],
        dilations: [1, 1],
        pads: [
          [4, 0],
          [4, 0],
        ],
        groups: 1,
      },
      { n: 1, size: [1, 1], kernel: [3, 3], inPerGroup: 1, outPerGroup: 1 },
    );
    tf.tidy(() => {
      const [x, w] = [tensor(c.inputShape, 1), tensor(c.filterShape, 2)];
      const [dx, dw] = tf.grads((x, w) => convolution(x as tf.Tensor4D, w as tf.Tensor4D, c))([x, w]);
      expect(dx!).toBeAllClose([0]);
      expect(dw!).toBeAllClose(new Array(9).fill(0));
    });
  });

  it.each<[string, ConvolutionGeometry]>([
    ['plain', { strides: [1, 1], dilations: [1, 1], pads: [[0, 0], [0, 0]], groups: 1 }], // biome-ignore format: one a line
    ['strided and padded', { strides: [2, 3], dilations: [1, 1], pads: [[1, 1], [2, 0]], groups: 1 }], // biome-ignore format: one a line
    ['dilated', { strides: [1, 1], dilations: [2, 1], pads: [[1, 2], [0, 0]], groups: 1 }], // biome-ignore format: one a line
    ['strided and dilated', { strides: [2, 2], dilations: [2, 3], pads: [[2, 1], [3, 3]], groups: 1 }], // biome-ignore format: one a line
  ])('agrees with a composition of matrix products to third order: %s', (_, geometry) => {
    const c = caseOf(geometry, { n: 1, size: [5, 6], kernel: [2, 2], inPerGroup: 2, outPerGroup: 2 });
    tf.tidy(() => {
      const [x, w] = [tensor(c.inputShape, 1), tensor(c.filterShape, 2)];
      const ours = penalties((x, w) => convolution(x, w, c), x, w);
      const composed = penalties(composition(c), x, w);
      ours.forEach((gradient, i) => {
        expect(gradient).toBeAllClose(composed[i]!, { relative: 1e-5, absolute: 1e-5 });
      });
    });
  });

  it('has the second order of its definition in groups', () => {
    const c = caseOf(
      {
        strides: [2, 1],
        dilations: [1, 2],
        pads: [
          [1, 0],
          [1, 1],
        ],
        groups: 3,
      },
      { n: 2, size: [5, 6], kernel: [3, 2], inPerGroup: 2, outPerGroup: 1 },
    );
    // P(w) = ½·‖∂/∂x ½·‖y‖²‖² = ½·‖B(A(x, w), w)‖²; its slope along v from float64 differences of the direct loops.
    const [x, w, v] = [numbers(c.inputShape, 1), numbers(c.filterShape, 2), numbers(c.filterShape, 3)];
    const penalty = (w: readonly number[]): number =>
      directInputGradient(c, directOutput(c, x, w), w).reduce((sum, g) => sum + (g * g) / 2, 0);
    const shifted = (step: number) => Array.from(w, (value, i) => value + step * v[i]!);
    const slope = (penalty(shifted(1e-4)) - penalty(shifted(-1e-4))) / 2e-4;
    tf.tidy(() => {
      const gradient = tf.grad((w) => {
        const dx = tf.grad((x) => half(convolution(x as tf.Tensor4D, w as tf.Tensor4D, c)))(
          tensor(c.inputShape, 1),
        );
        return half(dx);
      })(tensor(c.filterShape, 2));
      const along = flatten(gradient).reduce((sum, g, i) => sum + g * v[i]!, 0);
      expect(along).toBeAllClose(slope, { relative: 1e-4 });
    });
  });
});

const half = (t: tf.Tensor): tf.Scalar => tf.mul(0.5, tf.sum(tf.square(t)));

type Bilinear = (x: tf.Tensor4D, w: tf.Tensor4D) => tf.Tensor;

/** First order, gradient penalty, and the penalty of that: the gradients of each with respect to x and w. */
function penalties(op: Bilinear, x: tf.Tensor4D, w: tf.Tensor4D): tf.Tensor[] {
  type Scalar2 = (x: tf.Tensor, w: tf.Tensor) => tf.Scalar;
  // A cube, so that no order is trivially zero.
  const loss: Scalar2 = (x, w) => {
    const y = op(x as tf.Tensor4D, w as tf.Tensor4D);
    return tf.mul(0.3, tf.sum(tf.mul(tf.square(y), y)));
  };
  const penalty: Scalar2 = (x, w) => tf.mul(0.1, half(tf.grad((x) => loss(x, w))(x)));
  const penalty2: Scalar2 = (x, w) => tf.mul(0.01, half(tf.grad((w) => penalty(x, w))(w)));
  return [loss, penalty, penalty2].flatMap((f) => tf.grads(f)([x, w]));
}

/** The same convolution as Σ Mₖ·x·wₖ over the taps, with constant matrices M of zeros and ones. One image, one group. */
function composition(c: ConvolutionCase): Bilinear {
  const [, height, width, channels] = c.inputShape;
  const [kh, kw, , outChannels] = c.filterShape;
  const [, oh, ow] = c.outputShape;
  return (x, w) => {
    const pixels = tf.reshape(x, [height * width, channels]);
    let y: tf.Tensor = tf.zeros([oh * ow, outChannels]);
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++) {
        const selection = new Float32Array(oh * ow * height * width);
        for (let p = 0; p < oh; p++)
          for (let q = 0; q < ow; q++) {
            const row = p * c.strides[0] + i * c.dilations[0] - c.pads[0][0];
            const column = q * c.strides[1] + j * c.dilations[1] - c.pads[1][0];
            const inside = row >= 0 && row < height && column >= 0 && column < width;
            if (inside) selection[(p * ow + q) * height * width + row * width + column] = 1;
          }
        const tap = tf.reshape(tf.slice(w, [i, j, 0, 0], [1, 1, channels, outChannels]), [
          channels,
          outChannels,
        ]);
        const seen = tf.matMul(tf.tensor2d(selection, [oh * ow, height * width]), pixels);
        y = tf.add(y, tf.matMul(seen, tap));
      }
    return y;
  };
}
