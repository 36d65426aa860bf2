import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type ConvolutionGeometry, outputSize, type Pair } from '../../../src/ops/convolution/correlate.ts';
import type { ConvolutionCase } from './directConvolution.ts';

/** Numbers from U(-1, 1) that depend on the seed alone; float32, so that tensors hold them exactly. */
export function numbers(shape: readonly number[], seed: number): Float32Array {
  const values = new Float32Array(tf.util.sizeFromShape([...shape]));
  let state = seed >>> 0;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 31 - 1;
  }
  return values;
}

/** {@link numbers} as a tensor. */
export const tensor = (shape: number[], seed: number): tf.Tensor4D =>
  tf.tensor4d(numbers(shape, seed), shape as [number, number, number, number]);

/** The sizes that a geometry leaves open. */
export interface CaseSizes {
  readonly n: number;
  readonly size: Pair;
  readonly kernel: Pair;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
}

/** Fills in the shapes. */
export function caseOf(geometry: ConvolutionGeometry, sizes: CaseSizes): ConvolutionCase {
  const { n, size, kernel, inPerGroup, outPerGroup } = sizes;
  const { strides, dilations, pads, groups } = geometry;
  const out = (a: 0 | 1) => outputSize(size[a], kernel[a], strides[a], dilations[a], pads[a]);
  return {
    ...geometry,
    inputShape: [n, size[0], size[1], groups * inPerGroup],
    filterShape: [kernel[0], kernel[1], inPerGroup, groups * outPerGroup],
    outputShape: [n, out(0), out(1), groups * outPerGroup],
  };
}

const pair = (min: number, max: number): fc.Arbitrary<Pair> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

/** Geometries of every kind: strided, dilated, both, cropped, grouped, depthwise. */
export const cases: fc.Arbitrary<ConvolutionCase> = fc
  .record({
    geometry: fc.record({
      strides: pair(1, 3),
      dilations: pair(1, 3),
      pads: fc.tuple(pair(-1, 3), pair(-1, 3)),
      groups: fc.integer({ min: 1, max: 4 }),
    }),
    sizes: fc.record({
      n: fc.integer({ min: 1, max: 3 }),
      size: pair(1, 8),
      kernel: pair(1, 3),
      inPerGroup: fc.integer({ min: 1, max: 3 }),
      outPerGroup: fc.integer({ min: 1, max: 3 }),
    }),
  })
  .map(({ geometry, sizes }) => caseOf(geometry, sizes))
  .filter((c) => c.outputShape.every((size) => size >= 1));
