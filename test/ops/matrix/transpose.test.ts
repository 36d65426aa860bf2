import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { transpose } from '../../../src/ops/matrix/transpose.ts';

/** Transposed as a whole; by blocks there, back, and both ways; not moved at all; empty. */
const shapes: [number, number, number][] = [
  [2, 3, 5],
  [2, 1024, 17],
  [3, 17, 1024],
  [2, 256, 512],
  [2, 1, 1024],
  [2, 1024, 1],
  [0, 1024, 17],
];

const exactly = { relative: 0, absolute: 0 };

/** Number i of a tensor is i + start. */
const counted = (shape: number[], start = 0): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => i + start),
    shape,
  );

/** The numbers of {@link counted}, transposed one by one. */
function countedAndSwapped([n, a, b]: [number, number, number], start = 0): tf.Tensor {
  const numbers = Array.from({ length: n * a * b }, (_, place) => {
    const [matrix, row, column] = [Math.floor(place / (a * b)), Math.floor(place / a) % b, place % a];
    return matrix * a * b + column * b + row + start;
  });
  return tf.tensor(Float32Array.from(numbers), [n, b, a]);
}

describe('transpose', () => {
  it.each(shapes)('transposes every matrix of %i × %i × %i', (n, a, b) => {
    tf.tidy(() => {
      expect(transpose(counted([n, a, b]))).toBeAllClose(countedAndSwapped([n, a, b]), exactly);
    });
  });

  it.each(shapes)('has the transpose as its gradient, twice: %i × %i × %i', (n, a, b) => {
    tf.tidy(() => {
      const [x, dy] = [counted([n, a, b]), counted([n, b, a], 7)];
      const gradient = (dy: tf.Tensor) => tf.grad((x) => transpose(x))(x, dy);
      expect(gradient(dy)).toBeAllClose(countedAndSwapped([n, b, a], 7), exactly);
      // Linear in dy, so that its gradient is the map again.
      expect(tf.grad(gradient)(dy, x)).toBeAllClose(countedAndSwapped([n, a, b]), exactly);
    });
  });

  it.each([
    [
      [1024, 17],
      [17, 1024],
    ],
    [
      [1, 5],
      [5, 1],
    ],
    [
      [2, 3, 1024, 17],
      [2, 3, 17, 1024],
    ],
    [
      [4, 0],
      [0, 4],
    ],
  ])('takes a matrix or batches of any rank: [%s]', (shape, transposedShape) => {
    tf.tidy(() => {
      const x = counted(shape);
      const y = transpose(x);
      expect(y.shape).toEqual(transposedShape);
      expect(transpose(y)).toBeAllClose(x, exactly);
    });
  });

  it('copies the numbers of a vector, which the product of wasm would take for those of the other shape', () => {
    tf.tidy(() => {
      const x = counted([1, 64]);
      expect(transpose(x).dataId).not.toBe(x.dataId);
    });
  });

  it('leaves no tensor but the result', () => {
    const x = counted([2, 1024, 17]);
    const before = tf.memory().numTensors;
    const y = transpose(x);
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose([x, y]);
  });
});
