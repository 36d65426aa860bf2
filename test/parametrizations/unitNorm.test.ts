import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nn, UnitNorm, unitNorm } from '../../src/index.ts';
import { flatten } from '../toBeAllClose.ts';
import { constrained, normsOf, tensorOf } from './constraintCases.ts';

describe('unitNorm', () => {
  it('has norm one along its axes, at every magnitude; zeros stay zeros', () => {
    fc.assert(
      fc.property(constrained, (made) => {
        const x = tensorOf(made);
        const map = new UnitNorm({ axis: made.axis });
        const W = map.call(x);
        const before = normsOf(x, made.axis);
        normsOf(W, made.axis).forEach((r, i) => {
          expect(Math.abs(r - (before[i] === 0 ? 0 : 1))).toBeLessThan(2e-6);
        });
        tf.dispose([x, W]);
      }),
    );
  });

  it('has the values of tf.constraints.unitNorm where their 1e-7 does not matter', async () => {
    const { constraints } = await import('@tensorflow/tfjs-layers');
    const x = tf.randomNormal([5, 3], 0, 2, 'float32', 3);
    for (const axis of [0, 1, [0, 1]] as (number | number[])[]) {
      const W = new UnitNorm({ axis }).call(x);
      const wanted = constraints.unitNorm({ axis: axis as number }).apply(x);
      expect(W).toBeAllClose(wanted, { absolute: 1e-6 });
      tf.dispose([W, wanted]);
    }
    x.dispose();
  });

  it('takes axis 0 by default, negative axes, and keeps a weight of norm one', () => {
    const layer = new nn.Linear(2, 3);
    const W = tf.tensor2d([0.6, 0, 0, 1, 0.8, 0], [3, 2]);
    (layer.weight as tf.Variable).assign(W);
    unitNorm(layer, 'weight');
    expect(layer.weight).toBeAllClose(W);
    const other = new UnitNorm({ axis: -1 });
    const rows = other.call(W);
    expect(normsOf(rows, [1])).toBeAllClose([1, 1, 1]);
    expect(String(new UnitNorm({ axis: [0, -1] }))).toBe('UnitNorm(axis=[0, -1])');
    layer.dispose();
    tf.dispose([W, rows]);
  });

  it('has the gradient of the projection at right angles, also of second order, and zero at zero', () => {
    const x = tf.tensor1d([3, 4]);
    const dW = tf.tensor1d([1, 2]);
    const f = (t: tf.Tensor): tf.Scalar => tf.sum(tf.mul(new UnitNorm().call(t), dW));
    const gradient = tf.grad(f)(x);
    // (dW − u (u·dW)) / ‖x‖ with u = (0.6, 0.8), u·dW = 2.2
    expect(gradient).toBeAllClose([(1 - 1.32) / 5, (2 - 1.76) / 5]);
    const second = tf.tidy(() => tf.grad((t) => tf.sum(tf.square(tf.grad(f)(t))))(x));
    const h = 1e-2;
    const squared = (a: number, b: number): number => {
      const r = Math.hypot(a, b);
      const along = (a * 1 + b * 2) / r;
      return ((1 - (a / r) * along) / r) ** 2 + ((2 - (b / r) * along) / r) ** 2;
    };
    const wanted = [
      (squared(3 + h, 4) - squared(3 - h, 4)) / (2 * h),
      (squared(3, 4 + h) - squared(3, 4 - h)) / (2 * h),
    ];
    expect(second).toBeAllClose(wanted, { absolute: 1e-5 });
    const zero = tf.zeros([2]);
    const there = tf.grad(f)(zero);
    expect(flatten(there)).toEqual([0, 0]);
    tf.dispose([x, dW, gradient, second, zero, there]);
  });

  it('refuses options that make no sense, and leaves the weight alone', () => {
    const layer = new nn.Linear(2, 3);
    const before = layer.weight;
    expect(() => unitNorm(layer, 'weight', { axis: 2 })).toThrow(
      'unitNorm: axis 2 is out of range for shape [3, 2]: expected an axis from -2 to 1.',
    );
    expect(() => unitNorm(layer, 'weight', { axis: 0.5 })).toThrow('axis is 0.5');
    expect(() => unitNorm(layer, 'weight', { axis: [0, 0] })).toThrow('axis is [0, 0]');
    expect(() => unitNorm(layer, 'weight', { axis: [] })).toThrow('axis is []');
    expect(() => unitNorm(layer, 'weight', { axes: 0 } as never)).toThrow("Did you mean 'axis'?");
    expect(layer.weight).toBe(before);
    layer.dispose();
  });
});
