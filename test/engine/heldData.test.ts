import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { HeldData } from '../../src/engine/heldData.ts';

const counts = () => {
  const { numTensors, numBytes, numDataBuffers } = tf.memory();
  return { numTensors, numBytes, numDataBuffers, inBackend: tf.backend().numDataIds() };
};

describe('HeldData', () => {
  it('makes tensors of the data of a tensor that is disposed, until it is freed', () => {
    const before = counts();
    const tensor = tf.tensor([1, 2, 3, 4], [2, 2]);
    const held = new HeldData(tensor);
    tensor.dispose();
    expect(counts()).toEqual({
      ...before,
      numDataBuffers: before.numDataBuffers + 1,
      inBackend: before.inBackend + 1,
    });
    const made = [held.tensor(), tf.tidy(() => held.tensor())];
    held.free();
    expect(made.map((value) => value.dataId)).toEqual([tensor.dataId, tensor.dataId]);
    for (const value of made) expect(value).toBeAllClose([1, 2, 3, 4]);
    tf.dispose(made);
    expect(held.isThere).toBe(false);
    expect(counts()).toEqual(before);
  });

  it('gives its tensors to the innermost tidy', () => {
    const before = counts();
    const tensor = tf.tensor([1, 2]);
    const held = new HeldData(tensor);
    tf.tidy(() => {
      expect(tf.tidy(() => tf.sum(held.tensor()))).toBeAllClose(3);
    });
    held.free();
    expect(tensor).toBeAllClose([1, 2]);
    tensor.dispose();
    expect(counts()).toEqual(before);
  });

  // The wasm backend has no complex numbers.
  it.skipIf(process.env['TFJS_BACKEND'] === 'wasm')(
    'holds a tensor of its own where data are not counted',
    () => {
      const before = counts();
      const [real, imaginary] = [tf.tensor([1]), tf.tensor([2])];
      const tensor = tf.complex(real, imaginary);
      const held = new HeldData(tensor);
      tf.dispose([tensor, real, imaginary]);
      expect(held.isThere).toBe(true);
      const made = held.tensor();
      const [a, b] = [tf.real(made), tf.imag(made)];
      expect(a).toBeAllClose([1]);
      expect(b).toBeAllClose([2]);
      tf.dispose([made, a, b]);
      held.free();
      expect(held.isThere).toBe(false);
      expect(counts()).toEqual(before);
    },
  );
});
