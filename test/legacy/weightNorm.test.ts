import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { clone, fold, weightNorm as modern, nn, removeParametrizations } from '../../src/index.ts';
import { removeWeightNorm, weightNorm } from '../../src/legacy/index.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { inTidy, numbers, read, variableOf } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { keysOf, outputOf, stateOf, write } from './fixtures.ts';

describe('legacy.weightNorm', () => {
  it('makes weight_g and weight_v parameters after the others and keeps the value (torch#93)', () => {
    const layer = new nn.Linear(4, 5);
    const variable = layer.weight;
    const before = read(layer);
    const normed = weightNorm(layer);
    expect(normed).toBe(layer);
    expect(keysOf(layer)).toEqual(['bias', 'weight_g', 'weight_v']);
    expect(normed.weight_g.shape).toEqual([5, 1]);
    expect(normed.weight_v).toBe(variable);
    expect(layer.parameters()).toHaveLength(3);
    expect(read(layer)).toBeAllClose(before as number[][]);
    removeWeightNorm(layer);
    expect(keysOf(layer)).toEqual(['weight', 'bias']);
    expect(layer.weight).toBe(variable);
    expect(read(layer)).toBeAllClose(before as number[][]);
    expect('weight_g' in layer || 'weight_v' in layer).toBe(false);
    layer.dispose();
  });

  it('is independent on a clone, which disposes of its own', () => {
    const layer = weightNorm(new nn.Linear(2, 3));
    layer.weight;
    const copy = clone(layer);
    expect(keysOf(copy)).toEqual(keysOf(layer));
    inTidy(() => copy.weight_g.assign(tf.ones([3, 1])));
    expect(read(copy)).not.toBeAllClose(read(layer) as number[][]);
    copy.weight;
    removeWeightNorm(copy);
    expect(keysOf(copy)).toEqual(['weight', 'bias']);
    expect(keysOf(layer)).toEqual(['bias', 'weight_g', 'weight_v']);
    copy.dispose();
    layer.dispose();
  });

  it('is taken off by fold and by removeParametrizations; the remover takes the modern one off', () => {
    const a = weightNorm(new nn.Linear(2, 3));
    const b = weightNorm(new nn.Linear(2, 3));
    const c = modern(new nn.Linear(2, 3));
    const values = [a, b, c].map((layer) => read(layer) as number[][]);
    expect(fold(a)).toEqual(['weight']);
    removeParametrizations(b, 'weight');
    removeWeightNorm(c);
    for (const [i, layer] of [a, b, c].entries()) {
      expect(keysOf(layer)).toEqual(['weight', 'bias']);
      expect(read(layer)).toEqual(values[i]);
      layer.dispose();
    }
  });

  it('warns once that it is deprecated', async () => {
    vi.resetModules();
    const fresh = await import('../../src/legacy/index.ts');
    const { Linear } = await import('../../src/nn/index.ts');
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const layers = [new Linear(2, 2), new Linear(2, 2)];
    for (const layer of layers) fresh.weightNorm(layer);
    fresh.spectralNorm(layers[0]!, 'bias');
    expect(warn.mock.calls).toEqual([[expect.stringContaining("weightNorm of 'tfjs-parametrize'")]]);
    warn.mockRestore();
    for (const layer of layers) layer.dispose();
  });

  it.each([
    [0, [5, 1]],
    [1, [1, 4]],
    [-2, [5, 1]],
    [null, []],
    [-1, []],
  ])(
    'keeps with dim %j norms of shape %j; -1 is the whole tensor, -2 a real axis (T17, torch#93, torch#94)',
    (dim, shape) => {
      const layer = new nn.Linear(4, 5);
      const before = read(layer) as number[][];
      const normed = weightNorm(layer, 'weight', dim);
      expect(normed.weight_g.shape).toEqual(shape);
      expect(normed.weight_v.shape).toEqual([5, 4]);
      expect(read(layer)).toBeAllClose(before);
      const norms = inTidy(() => {
        const axis = dim === 1 ? 0 : dim === 0 || dim === -2 ? 1 : undefined;
        return flatten(tf.norm(normed.weight_v, 2, axis));
      });
      expect(normed.weight_g).toBeAllClose(norms);
      expect(read(removeWeightNorm(layer))).toBeAllClose(before);
      layer.dispose();
    },
  );

  it('keeps a frozen weight frozen (T15)', () => {
    const layer = new nn.Linear(2, 3);
    variableOf(layer).trainable = false;
    const normed = weightNorm(layer);
    expect([normed.weight_g.trainable, normed.weight_v.trainable]).toEqual([false, false]);
    expect(removeWeightNorm(layer)).toBe(layer);
    expect(variableOf(layer).trainable).toBe(false);
    layer.dispose();
  });

  it('reads what was written to g and v before the next forward (T16)', () => {
    const layer = weightNorm(new nn.Linear(4, 3));
    outputOf(layer);
    const before = flatten(layer.weight);
    write(layer.weight_g, () => tf.mul(layer.weight_g, 2));
    expect(layer.weight).toBeAllClose(before.map((element) => 2 * element));
    write(layer.weight_v, () => tf.neg(layer.weight_v));
    expect(layer.weight).toBeAllClose(before.map((element) => -2 * element));
    layer.dispose();
  });

  it('can be copied right after registration, and after forwards with and without a gradient (T18, torch#97)', () => {
    const layer = weightNorm(new nn.Linear(4, 3));
    const forwards = [
      () => {},
      () => void outputOf(layer),
      () => inTidy(() => void tf.variableGrads(() => tf.sum(layer.call(tf.ones([2, 4]))) as tf.Scalar)),
    ];
    for (const forward of forwards) {
      forward();
      const copy = clone(layer);
      expect(stateOf(copy)).toEqual(stateOf(layer));
      expect(outputOf(copy)).toEqual(outputOf(layer));
      copy.dispose();
    }
    layer.dispose();
  });

  it.each(['LSTM', 'GRU', 'RNN'] as const)(
    'turns one parameter of a %s into two for each name, and back (torch#98)',
    (type) => {
      const network = new nn[type](3, 4);
      const state = keysOf(network);
      const count = network.parameters().length;
      const output = () => inTidy(() => flatten((network as nn.LSTM).call(tf.ones([5, 2, 3]))[0]));
      const before = output();
      weightNorm(network as nn.LSTM, 'weight_ih_l0');
      expect(network.parameters()).toHaveLength(count + 1);
      weightNorm(network as nn.LSTM, 'weight_hh_l0');
      expect(network.parameters()).toHaveLength(count + 2);
      expect(keysOf(network)).toEqual([
        ...state.filter((key) => !key.startsWith('weight')),
        'weight_ih_l0_g',
        'weight_ih_l0_v',
        'weight_hh_l0_g',
        'weight_hh_l0_v',
      ]);
      expect(output()).toBeAllClose(before);
      removeWeightNorm(network, 'weight_ih_l0');
      expect(network.parameters()).toHaveLength(count + 1);
      removeWeightNorm(network, 'weight_hh_l0');
      expect(keysOf(network)).toEqual(state);
      expect(output()).toBeAllClose(before);
      network.dispose();
    },
  );

  it('is loaded by the modern weightNorm, with equal outputs (torch#87)', () => {
    const old = weightNorm(new nn.Linear(4, 3), 'weight', null);
    write(old.weight_g, () => tf.scalar(3));
    const layer = modern(new nn.Linear(4, 3), 'weight', { dim: null });
    layer.loadStateDict(old.stateDict());
    expect(outputOf(layer)).toEqual(outputOf(old));
    old.dispose();
    layer.dispose();
  });

  it('normalizes a vector, each element by itself, or as a whole', () => {
    const layer = weightNorm(new nn.Linear(2, 3), 'bias');
    expect(layer.bias_g.shape).toEqual([3]);
    removeWeightNorm(layer, 'bias');
    expect(weightNorm(layer, 'bias', null).bias_g.shape).toEqual([]);
    layer.dispose();
  });

  it.each([0, 1, null])('has the gradients of the formula, twice, with dim %j', (dim) => {
    const layer = weightNorm(new nn.Linear(4, 3), 'weight', dim);
    write(layer.weight_v, numbers(3, 4));
    const x = tf.ones([2, 4]);
    inTidy(() => expectGradients(() => layer.call(x), [layer.weight_g, layer.weight_v]));
    x.dispose();
    layer.dispose();
  });
});
