import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MinMaxNorm, minMaxNorm, nn } from '../../src/index.ts';
import { flatten } from '../toBeAllClose.ts';
import { constrained, normsOf, tensorOf } from './constraintCases.ts';

describe('minMaxNorm', () => {
  it('moves the norms to the limits at its rate; zeros stay zeros', () => {
    const options = fc.record({
      minValue: fc.constantFrom(0, 0.5, 1),
      maxValue: fc.constantFrom(1, 3),
      rate: fc.constantFrom(0, 0.25, 1),
    });
    fc.assert(
      fc.property(constrained, options, (made, { minValue, maxValue, rate }) => {
        const x = tensorOf(made);
        const W = new MinMaxNorm({ axis: made.axis, minValue, maxValue, rate }).call(x);
        const before = normsOf(x, made.axis);
        normsOf(W, made.axis).forEach((r, i) => {
          const norm = before[i]!;
          const clipped = Math.min(Math.max(norm, minValue), maxValue);
          const wanted = norm === 0 ? 0 : rate * clipped + (1 - rate) * norm;
          expect(Math.abs(r - wanted)).toBeLessThanOrEqual(3e-6 * wanted);
        });
        tf.dispose([x, W]);
      }),
    );
  });

  it('has the values of tf.constraints.minMaxNorm where their 1e-7 does not matter', async () => {
    const { constraints } = await import('@tensorflow/tfjs-layers');
    const x = tf.randomNormal([5, 3], 0, 2, 'float32', 3);
    for (const config of [
      {},
      { minValue: 5, maxValue: 6 },
      { minValue: 1, maxValue: 2, rate: 0.3, axis: 1 },
    ]) {
      const W = new MinMaxNorm(config).call(x);
      const wanted = constraints.minMaxNorm(config as never).apply(x);
      expect(W).toBeAllClose(wanted, { absolute: 2e-6 });
      tf.dispose([W, wanted]);
    }
    x.dispose();
  });

  it('has the gradient of the identity within the limits and at zero', () => {
    const dW = tf.tensor1d([1, 2]);
    const gradientAt = (values: number[], rate: number): number[] =>
      tf.tidy(() => {
        const map = new MinMaxNorm({ minValue: 1, maxValue: 2.5, rate });
        return flatten(tf.grad((t) => tf.sum(tf.mul(map.call(t), dW)))(tf.tensor1d(values)));
      });
    expect(gradientAt([0.9, 1.2], 1)).toBeAllClose([1, 2]);
    expect(gradientAt([0, 0], 1)).toBeAllClose([1, 2]);
    const beyond = [(1 - 1.32) / 2, (2 - 1.76) / 2];
    expect(gradientAt([3, 4], 1)).toBeAllClose(beyond);
    expect(gradientAt([3, 4], 0.25)).toBeAllClose([0.25 * beyond[0]! + 0.75, 0.25 * beyond[1]! + 1.5]);
    dW.dispose();
  });

  it('keeps a weight within the limits, and refuses options that make no sense', () => {
    const layer = new nn.Linear(4, 3);
    const before = flatten(layer.weight);
    minMaxNorm(layer, 'weight', { maxValue: 100 });
    expect(layer.weight).toBeAllClose(before);
    expect(String(layer.parametrizations!.weight![0])).toBe(
      'MinMaxNorm(minValue=0, maxValue=100, rate=1, axis=0)',
    );
    expect(() => new MinMaxNorm({ minValue: 2 })).toThrow(
      'minMaxNorm: minValue 2 is above maxValue 1. Swap them.',
    );
    expect(() => new MinMaxNorm({ rate: 1.5 })).toThrow('minMaxNorm: rate is 1.5');
    expect(() => new MinMaxNorm({ minValue: -1 })).toThrow('minValue is -1');
    layer.dispose();
  });
});
