import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Linear, manualSeed } from '../../../src/nn/index.ts';
import { layerCases } from '../golden.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { statistics } from '../init/statistics.ts';
import { expectLayerCase } from '../layerCase.ts';
import { countReads } from '../module/countReads.ts';

describe('Linear', () => {
  it.each(layerCases('Linear'))(
    "has torch's output and gradients (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new Linear(5, 4), golden);
    },
  );

  it.each(layerCases('Linear_bias_1d'))(
    "has torch's output and gradients (bias normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new Linear(5, 4), golden);
    },
  );

  it("has torch's keys in torch's order", () => {
    const [layer, plain] = [new Linear(3, 2), new Linear(3, 2, { bias: false })];
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    expect(Object.keys(plain.stateDict())).toEqual(['weight']);
    expect([layer.weight.shape, layer.bias!.shape, plain.bias]).toEqual([[2, 3], [2], null]);
    layer.dispose();
    plain.dispose();
  });

  it('maps the last axis of an input of any rank, row by row', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), (leading) => {
        const layer = new Linear(3, 2);
        const x = tf.randomNormal([...leading, 3]);
        const y = layer.call(x);
        const rows = tf.tidy(() =>
          tf.add(tf.matMul(tf.reshape(x, [x.size / 3, 3]), tf.transpose(layer.weight)), layer.bias!),
        );
        expect(y.shape).toEqual([...leading, 2]);
        expect(tf.util.sizeFromShape(leading) * 2).toBe(y.size);
        expect(Array.from(y.dataSync())).toBeAllClose(Array.from(rows.dataSync()));
        tf.dispose([x, y, rows]);
        layer.dispose();
      }),
    );
  });

  it('can be differentiated twice', () => {
    const layer = new Linear(3, 2);
    const x = example([2, 3]);
    expectGradients(() => tf.square(layer.call(x)), [x, ...layer.parameters()]);
    x.dispose();
    layer.dispose();
  });

  it('gives its weights gradients of zero for a batch of nothing', () => {
    const layer = new Linear(3, 40);
    tf.tidy(() => {
      // Memory that is not zero, which wasm gives to the next tensors.
      tf.tidy(() => Array.from({ length: 400 }, (_, n) => tf.fill([1 + (n % 100)], 7)).length);
      const { grads } = tf.variableGrads(() => tf.sum(layer.call(tf.zeros([0, 3]))), layer.parameters());
      for (const variable of layer.parameters()) {
        expect(grads[variable.name]!).toBeAllClose(tf.zerosLike(variable));
      }
    });
    layer.dispose();
  });

  it("begins with torch's uniform distribution", () => {
    manualSeed(0);
    const layer = new Linear(100, 50);
    const { mean, std, min, max } = statistics(layer.weight);
    expect([mean, std]).toBeAllClose([0, 0.1 / Math.sqrt(3)], { absolute: 0.003 });
    expect([min, max, statistics(layer.bias!).max]).toBeAllClose([-0.1, 0.1, 0.1], { absolute: 0.02 });
    expect(Math.max(-min, max)).toBeLessThanOrEqual(Math.fround(0.1));
    layer.dispose();
  });

  it('reads each parameter once in a forward pass', () => {
    const layer = new Linear(3, 2);
    const parameters = layer.parameters();
    const reads = countReads(layer, ['weight', 'bias']);
    const x = tf.ones([2, 3]);
    tf.dispose([x, layer.call(x)]);
    expect(layer.toString()).toBe('Linear(inFeatures=3, outFeatures=2, bias=true)');
    expect(reads, 'the printed form reads none').toEqual({ weight: 1, bias: 1 });
    tf.dispose(parameters);
  });

  it('prints its options as torch does', () => {
    const [layer, plain] = [new Linear(4, 8), new Linear(4, 8, { bias: false })];
    expect(layer.toString()).toBe('Linear(inFeatures=4, outFeatures=8, bias=true)');
    expect(plain.toString()).toBe('Linear(inFeatures=4, outFeatures=8, bias=false)');
    layer.dispose();
    plain.dispose();
  });

  it.each([
    [
      'a fraction',
      () => new Linear(2.5, 4),
      'Linear: inFeatures is 2.5, it must be an integer of at least 1.',
    ],
    ['zero', () => new Linear(2, 0), 'Linear: outFeatures is 0'],
    [
      'an unknown option',
      () => new Linear(2, 3, { bais: true } as never),
      "'bais' is not an option. Did you mean 'bias'? It has: bias.",
    ],
    [
      'a positional option',
      () => new Linear(2, 3, false as never),
      'the options are false, they must be an object with the keys bias.',
    ],
    [
      'no boolean',
      () => new Linear(2, 3, { bias: 'false' as never }),
      'bias is false (string), it must be true or false.',
    ],
  ])('refuses %s', (_what, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('refuses an input whose last axis does not fit', () => {
    const layer = new Linear(3, 2);
    const inputs = [tf.ones([3, 4]), tf.scalar(1)];
    expect(() => layer.call(inputs[0]!)).toThrow(
      expect.objectContaining({
        code: 'SHAPE',
        message: expect.stringContaining(
          'the input has shape [3, 4], its last axis must have 3 (inFeatures)',
        ),
      }),
    );
    expect(() => layer.call(inputs[1]!)).toThrow('the input has shape []');
    tf.dispose(inputs);
    layer.dispose();
  });
});
