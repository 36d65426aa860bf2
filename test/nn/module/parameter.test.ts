import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { buffer, parameter } from '../../../src/nn/index.ts';
import { isBuffer } from '../../../src/nn/module/parameter.ts';

describe.each([
  ['parameter', parameter, true],
  ['buffer', buffer, false],
] as const)('%s', (name, make, trainable) => {
  it('makes a variable and consumes the tensor', () => {
    const value = tf.tensor1d([1, 2]);
    const variable = make(value);
    expect(variable).toBeInstanceOf(tf.Variable);
    expect(variable).toBeAllClose([1, 2]);
    expect([variable.trainable, isBuffer(variable), value.isDisposed]).toEqual([trainable, !trainable, true]);
    variable.dispose();
  });

  it('frees whatever the function makes', () => {
    const before = tf.memory().numTensors;
    const variable = make(() => tf.add(tf.scalar(1), tf.scalar(2)));
    expect(variable).toBeAllClose(3);
    expect(tf.memory().numTensors).toBe(before + 1);
    variable.dispose();
  });

  it('keeps the dtype, and outlives the tidy that it was made in', () => {
    const variable = tf.tidy(() => {
      const made = make(tf.tensor1d([1, 0], 'int32'));
      tf.scalar(1);
      return made;
    });
    const inner: tf.Variable[] = [];
    tf.tidy(() => void inner.push(make(() => tf.scalar(1))));
    expect([variable.dtype, inner[0]!.isDisposed]).toEqual(['int32', false]);
    tf.dispose([variable, inner]);
  });

  it('leaves a variable alone and makes another', () => {
    const first = make(tf.scalar(1));
    const second = make(first);
    tf.tidy(() => second.assign(tf.scalar(2)));
    expect(first).toBeAllClose(1);
    expect(second.name).not.toBe(first.name);
    tf.dispose([first, second]);
  });

  it('refuses what is no tensor, and a disposed tensor', () => {
    expect(() => make([1, 2] as never)).toThrow(
      expect.objectContaining({
        code: 'NOT_A_VARIABLE',
        message: `${name}: the value must be a tensor or a function that makes one, got Array.`,
      }),
    );
    expect(() => make(() => 5 as never)).toThrow('got number');
    const gone = tf.scalar(1);
    gone.dispose();
    expect(() => make(gone)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });

  it('leaves nothing behind if the function throws', () => {
    const failing = (): tf.Tensor => {
      tf.scalar(1);
      throw new Error('on purpose');
    };
    expect(() => make(failing)).toThrow('on purpose');
  });
});
