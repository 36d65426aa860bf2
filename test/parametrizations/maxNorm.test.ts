import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaxNorm, maxNorm, nn } from '../../src/index.ts';
import { flatten } from '../toBeAllClose.ts';
import { constrained, normsOf, tensorOf } from './constraintCases.ts';

describe('maxNorm', () => {
  it('limits the norms, and keeps exactly what is within', () => {
    fc.assert(
      fc.property(constrained, fc.constantFrom(0, 0.5, 2, 1e4), (made, maxValue) => {
        const x = tensorOf(made);
        const W = new MaxNorm({ axis: made.axis, maxValue }).call(x);
        const before = normsOf(x, made.axis);
        normsOf(W, made.axis).forEach((r, i) => {
          const wanted = Math.min(before[i]!, maxValue);
          expect(Math.abs(r - wanted)).toBeLessThanOrEqual(3e-6 * wanted);
        });
        if (before.every((r) => r < maxValue)) expect(flatten(W)).toEqual(flatten(x));
        tf.dispose([x, W]);
      }),
    );
  });

  it('has the values of tf.constraints.maxNorm where their 1e-7 does not matter', async () => {
    const { constraints } = await import('@tensorflow/tfjs-layers');
    const x = tf.randomNormal([5, 3], 0, 2, 'float32', 3);
    for (const axis of [0, 1]) {
      const W = new MaxNorm({ axis, maxValue: 3 }).call(x);
      const wanted = constraints.maxNorm({ axis, maxValue: 3 }).apply(x);
      expect(W).toBeAllClose(wanted, { absolute: 2e-6 });
      tf.dispose([W, wanted]);
    }
    x.dispose();
  });

  it('has the gradient of the identity within the limit and at zero, and the projection beyond', () => {
    const dW = tf.tensor1d([1, 2]);
    const gradientAt = (values: number[]): number[] =>
      tf.tidy(() => {
        const f = (t: tf.Tensor): tf.Scalar => tf.sum(tf.mul(new MaxNorm({ maxValue: 2.5 }).call(t), dW));
        return flatten(tf.grad(f)(tf.tensor1d(values)));
      });
    expect(gradientAt([0.3, 0.4])).toBeAllClose([1, 2]);
    expect(gradientAt([0, 0])).toBeAllClose([1, 2]);
    expect(gradientAt([3, 4])).toBeAllClose([(1 - 1.32) / 2, (2 - 1.76) / 2]);
    dW.dispose();
  });

  it('follows its limit when that is changed', () => {
    const layer = new nn.Linear(4, 1, { bias: false });
    maxNorm(layer, 'weight', { axis: 1, maxValue: 0.1 });
    expect(normsOf(layer.weight, [1])[0]).toBeLessThan(0.1001);
    const map = layer.parametrizations!.weight![0] as MaxNorm;
    expect(String(map)).toBe('MaxNorm(maxValue=0.1, axis=1)');
    map.maxValue = 0.01;
    expect(normsOf(layer.weight, [1])[0]).toBeLessThan(0.01001);
    expect(() => {
      map.maxValue = -1;
    }).toThrow('maxValue is -1');
    layer.dispose();
  });

  it('refuses options that make no sense', () => {
    expect(() => new MaxNorm({ maxValue: Number.NaN })).toThrow('maxNorm: maxValue is NaN');
    expect(() => new MaxNorm({ max: 1 } as never)).toThrow("'max' is not an option");
  });
});
