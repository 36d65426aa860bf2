import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Identity, Linear, Sequential } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';

describe('Identity', () => {
  it('passes on any tensor, as one of its own', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
        fc.constantFrom('float32', 'int32', 'bool'),
        (shape, dtype) => {
          const x = tf.tidy(() => tf.cast(tf.randomUniform(shape, -9, 9), dtype as 'int32'));
          const y = new Identity().call(x);
          expect([y.shape, y.dtype]).toEqual([x.shape, x.dtype]);
          expect(Array.from(y.dataSync())).toEqual(Array.from(x.dataSync()));
          y.dispose();
          expect(x.isDisposed).toBe(false);
          x.dispose();
        },
      ),
    );
  });

  it('accepts the arguments of the layer that it stands for', () => {
    expect(new Identity(54, { bias: false }, 'anything').toString()).toBe('Identity()');
    expect(Object.keys(new Identity(54, { bias: false }).stateDict())).toEqual([]);
  });

  it('can be differentiated twice', () => {
    const x = example([2, 3]);
    expectGradients(() => tf.square(new Identity().call(x)), [x]);
    x.dispose();
  });

  it('changes nothing in a chain', () => {
    const layer = new Linear(2, 3);
    const net = new Sequential(new Identity(), layer, new Identity());
    const x = example([4, 2]);
    const [y, wanted] = [net.call(x), layer.call(x)];
    expect(y).toBeAllClose(wanted);
    tf.dispose([x, y, wanted]);
    net.dispose();
  });
});
