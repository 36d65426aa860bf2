import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { clone, type Dora, dora, fold, nn, recipeOf, removeParametrizations } from '../../src/index.ts';
import { weightNormOp } from '../../src/kernels/index.ts';
import { tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { disposeHosted, doraCases, hostOf, parametersOf } from './adapterGolden.ts';

type Parameters = Record<'lora_A' | 'lora_B' | 'lora_magnitude_vector', tf.Variable>;

describe('dora, by the numbers of torch', () => {
  it.each(doraCases.map((one) => [one.kind, one] as const))('%s', (_, one) => {
    inTidy(() => {
      const hosted = hostOf(one);
      const { host } = hosted;
      const before = flatten(host.weight);
      dora(host, 'weight', { rank: one.r, alpha: one.alpha });
      expect(flatten(host.weight)).toEqual(before);
      const { lora_A: A, lora_B: B, lora_magnitude_vector: m } = parametersOf(host) as Parameters;
      expect(m.shape).toEqual(one.initial_magnitude.shape);
      expect(m).toBeAllClose(tensorOf(one.initial_magnitude));
      A.assign(tensorOf(one.lora_A));
      B.assign(tensorOf(one.lora_B));
      m.assign(tensorOf(one.magnitude));
      expect(host.weight).toBeAllClose(tensorOf(one.value));
      expect(hosted.output()).toBeAllClose(tensorOf(one.output));
      const dy = tensorOf(one.dy);
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(hosted.output(), dy)) as tf.Scalar, [A, B, m]);
      expect(grads[A.name]!).toBeAllClose(tensorOf(one.detached.d_lora_A));
      expect(grads[B.name]!).toBeAllClose(tensorOf(one.detached.d_lora_B));
      expect(grads[m.name]!).toBeAllClose(tensorOf(one.detached.d_magnitude));
      disposeHosted(hosted);
    });
  });

  // The other half of the numbers: weight norm of the adapted weight has the same value and another gradient.
  it.each(doraCases.map((one) => [one.kind, one] as const))('%s is not weight norm', (_, one) => {
    inTidy(() => {
      const hosted = hostOf(one);
      const { host } = hosted;
      dora(host, 'weight', { rank: one.r, alpha: one.alpha });
      const { lora_A: A, lora_B: B, lora_magnitude_vector: m } = parametersOf(host) as Parameters;
      for (const [variable, numbers] of [
        [A, one.lora_A],
        [B, one.lora_B],
        [m, one.magnitude],
      ] as const)
        variable.assign(tensorOf(numbers));
      const map = (host as unknown as { parametrizations: { weight: [Dora] } }).parametrizations.weight[0];
      const { layout } = map;
      const dW = tf.grad((W: tf.Tensor) => tf.sum(tf.mul(W, tensorOf(one.value))))(tensorOf(one.value));
      const adapted = (): tf.Tensor =>
        tf.add(tensorOf(one.weight), layout.product(A, tf.mul(B, one.alpha / one.r), one.r));
      const normed = (): tf.Tensor => weightNormOp(layout.broadcast(m), adapted(), layout.reduced, 0);
      expect(normed()).toBeAllClose(tensorOf(one.value));
      const of = (value: () => tf.Tensor): number[] => {
        const { grads } = tf.variableGrads(() => tf.sum(tf.mul(value(), dW)) as tf.Scalar, [B]);
        return flatten(grads[B.name]!);
      };
      // Along the value itself weight norm has no gradient; with the norms as constants there is one.
      expect(Math.max(...of(normed).map(Math.abs))).toBeLessThan(1e-4);
      expect(Math.max(...of(() => host.weight).map(Math.abs))).toBeGreaterThan(1e-2);
      disposeHosted(hosted);
    });
  });
});

describe('dora', () => {
  const linear = (): nn.Linear => {
    nn.manualSeed(1);
    return new nn.Linear(6, 5, { bias: false });
  };
  const valueIn = (layer: nn.Linear): number[] => tf.tidy(() => flatten(layer.weight));

  it('is zero with zero gradients where the weight is zero', () => {
    const layer = linear();
    inTidy(() => {
      const rows = tf.tensor2d([[0], [1], [1], [0], [1]]);
      (layer.weight as tf.Variable).assign(tf.add(tf.mul(layer.weight, rows), 0));
      const before = valueIn(layer);
      dora(layer, { rank: 2 });
      expect(valueIn(layer)).toEqual(before);
      const { value, grads } = tf.variableGrads(() => tf.sum(layer.weight) as tf.Scalar);
      for (const one of [value, ...Object.values(grads)]) {
        expect(flatten(one).every(Number.isFinite)).toBe(true);
      }
      const magnitude = grads[parametersOf(layer)['lora_magnitude_vector']!.name]!;
      expect(flatten(magnitude)[0]).toBe(0);
      const B = grads[parametersOf(layer)['lora_B']!.name]!;
      const largest = flatten(tf.max(tf.abs(B), 1));
      expect(largest.map((size) => size > 0)).toEqual([false, true, true, false, true]);
    });
    layer.dispose();
  });

  it('takes an assigned value', () => {
    const layer = linear();
    dora(layer, { rank: 2 });
    inTidy(() => {
      const { lora_A: A, lora_B: B } = parametersOf(layer) as Parameters;
      for (const one of [A, B]) one.assign(tf.randomNormal(one.shape, 0, 1, 'float32', 5));
      const value = tf.randomNormal([5, 6], 0, 1, 'float32', 6);
      layer.weight = value;
      expect(layer.weight).toBeAllClose(value);
    });
    layer.dispose();
  });

  it('refuses a second adapter of the same name, and changes nothing then', () => {
    const layer = linear();
    dora(layer, { rank: 2 });
    const keys = Object.keys(layer.stateDict());
    expect(() => dora(layer, { rank: 3 })).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    expect(Object.keys(layer.stateDict())).toEqual(keys);
    layer.dispose();
  });

  it('has at most one active adapter, is copied and folded, and removal gives the flag back', () => {
    const layer = linear();
    const { weight } = layer as { weight: tf.Tensor };
    dora(layer, { rank: 2, adapter: 'a' });
    dora(layer, { rank: 3, adapter: 'b' });
    const map = layer.parametrizations!.weight![0] as Dora;
    expect(() => {
      map.active = { a: 1, b: 1 };
    }).toThrowErrorMatchingInlineSnapshot(
      `[ParametrizeError: dora: the adapters a, b cannot be active together. One adapter with lengths can be active at a time.]`,
    );
    expect(map.active).toEqual({ a: 1 });
    map.active = { b: 1 };
    inTidy(() => {
      for (const dict of Object.values(map.dictionaries())) {
        for (const one of dict.values())
          (one as tf.Variable).assign(tf.randomNormal(one.shape, 1, 1, 'float32', 5));
      }
    });
    const value = valueIn(layer);
    const copy = clone(layer);
    expect(valueIn(copy)).toEqual(value);
    expect(recipeOf(copy)).toEqual(recipeOf(layer));
    fold(copy);
    expect(valueIn(copy)).toEqual(value);
    removeParametrizations(layer, 'weight', { leaveParametrized: false });
    expect(layer.weight).toBe(weight);
    expect((weight as tf.Variable).trainable).toBe(true);
    for (const one of [layer, copy]) one.dispose();
  });
});
