import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { endTensor } from '../../src/engine/endedTensor.ts';

const uses: [string, (x: tf.Tensor) => unknown][] = [
  ['an operation', (x) => tf.add(x, 1)],
  ['a product', (x) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D)],
  ['dataSync', (x) => x.dataSync()],
  ['clone', (x) => x.clone()],
  ['reshape', (x) => tf.reshape(x, [4])],
  ['print', (x) => x.print()],
  ['assign', (x) => tf.tidy(() => tf.variable(tf.zeros([2, 2])).assign(x))],
];

describe('an ended tensor', () => {
  it.each(uses)('throws the error of its owner in %s', (_, use) => {
    const before = new Set(Object.values(tf.engine().registeredVariables));
    const tensor = tf.ones([2, 2]);
    endTensor(tensor, () => new Error('whose it was'));
    try {
      expect(() => use(tensor)).toThrow('whose it was');
    } finally {
      const now = Object.values(tf.engine().registeredVariables);
      tf.dispose(now.filter((variable) => !before.has(variable)));
    }
  });

  it('rejects a promise of its data', async () => {
    const tensor = tf.ones([2]);
    endTensor(tensor, () => new Error('whose it was'));
    await expect((async () => tensor.data())()).rejects.toThrow('whose it was');
    await expect((async () => tensor.array())()).rejects.toThrow('whose it was');
  });

  it('counts as disposed, and may be disposed again', () => {
    const tensor = tf.ones([2]);
    endTensor(tensor, () => new Error('whose it was'));
    expect(tensor.isDisposed).toBe(true);
    expect(() => tf.dispose({ tensor })).not.toThrow();
    expect(() => endTensor(tensor, () => new Error('another'))).not.toThrow();
  });
});
