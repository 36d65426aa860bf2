import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { clone, fold, nn, removeParametrizations, weightNorm as modern } from '../../src/index.ts';
import { removeWeightNorm, weightNorm } from '../../src/legacy/index.ts';
import { inTidy, read } from '../parametrize/fixtures.ts';

const keys = (module: nn.Module): string[] => Object.keys(module.stateDict());

describe('legacy.weightNorm', () => {
  it('makes weight_g and weight_v parameters after the others and keeps the value (torch#93)', () => {
    const layer = new nn.Linear(4, 5);
    const variable = layer.weight;
    const before = read(layer);
    const normed = weightNorm(layer);
    expect(normed).toBe(layer);
    expect(keys(layer)).toEqual(['bias', 'weight_g', 'weight_v']);
    expect(normed.weight_g.shape).toEqual([5, 1]);
    expect(normed.weight_v).toBe(variable);
    expect(layer.parameters()).toHaveLength(3);
    expect(read(layer)).toBeAllClose(before as number[][]);
    removeWeightNorm(layer);
    expect(keys(layer)).toEqual(['weight', 'bias']);
    expect(layer.weight).toBe(variable);
    expect(read(layer)).toBeAllClose(before as number[][]);
    expect('weight_g' in layer || 'weight_v' in layer).toBe(false);
    layer.dispose();
  });

  it('is independent on a clone, which disposes of its own', () => {
    const layer = weightNorm(new nn.Linear(2, 3));
    layer.weight;
    const copy = clone(layer);
    expect(keys(copy)).toEqual(keys(layer));
    inTidy(() => copy.weight_g.assign(tf.ones([3, 1])));
    expect(read(copy)).not.toBeAllClose(read(layer) as number[][]);
    copy.weight;
    removeWeightNorm(copy);
    expect(keys(copy)).toEqual(['weight', 'bias']);
    expect(keys(layer)).toEqual(['bias', 'weight_g', 'weight_v']);
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
      expect(keys(layer)).toEqual(['weight', 'bias']);
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
});
