import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Embedding, manualSeed } from '../../src/nn/index.ts';
import { layerCases } from './golden.ts';
import { expectGradients } from './gradientCheck.ts';
import { expectLayerCase } from './layerCase.ts';
import { statistics } from './statistics.ts';

describe('Embedding', () => {
  it.each(layerCases('Embedding'))(
    "has torch's output and gradient (weight normalized over dim $dim)",
    (golden) => {
      expectLayerCase(new Embedding(6, 4), golden);
    },
  );

  it.each([[[]], [[3]], [[2, 0]], [[1, 2, 2]]])('looks up indices of shape [%s]', (shape) => {
    const table = new Embedding(5, 2);
    const size = tf.util.sizeFromShape(shape);
    const indices = Array.from({ length: size }, (_, i) => (3 * i + 1) % 5);
    const x = tf.tensor(indices, shape, 'int32');
    const y = table.call(x);
    const rows = table.weight.dataSync();
    expect(y.shape).toEqual([...shape, 2]);
    expect(Array.from(y.dataSync())).toBeAllClose(indices.flatMap((i) => [rows[2 * i]!, rows[2 * i + 1]!]));
    tf.dispose([x, y]);
    table.dispose();
  });

  it('adds up the gradients of a row that is looked up twice, and leaves the others at zero', () => {
    const table = new Embedding(3, 2);
    const x = tf.tensor1d([2, 0, 2], 'int32');
    const dy = tf.tensor2d([
      [1, 2],
      [3, 4],
      [10, 20],
    ]);
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(table.call(x), dy)), table.parameters());
    expect(Object.values(grads)[0]!).toBeAllClose([
      [3, 4],
      [0, 0],
      [11, 22],
    ]);
    tf.dispose([x, dy, value, grads]);
    table.dispose();
  });

  it('has a gradient of zeros for no indices at all', () => {
    const table = new Embedding(3, 2);
    const x = tf.tensor1d([], 'int32');
    const { value, grads } = tf.variableGrads(() => tf.sum(table.call(x)), table.parameters());
    expect(Object.values(grads)[0]!).toBeAllClose([0, 0, 0, 0, 0, 0].flat());
    tf.dispose([x, value, grads]);
    table.dispose();
  });

  it('can be differentiated twice', () => {
    const table = new Embedding(4, 3);
    const x = tf.tensor2d([[1, 3, 1]], [1, 3], 'int32');
    expectGradients(() => tf.square(table.call(x)), table.parameters());
    x.dispose();
    table.dispose();
  });

  it('begins with N(0, 1)', () => {
    manualSeed(0);
    const table = new Embedding(100, 50);
    const { mean, std } = statistics(table.weight);
    expect([mean, std]).toBeAllClose([0, 1], { absolute: 0.05 });
    table.dispose();
  });

  it("has torch's key and printed form", () => {
    const table = new Embedding(10, 3);
    expect(Object.keys(table.stateDict())).toEqual(['weight']);
    expect(table.toString()).toBe('Embedding(10, 3)');
    table.dispose();
  });

  it('refuses indices that are not int32', () => {
    const table = new Embedding(3, 2);
    const x = tf.tensor1d([0, 1]);
    expect(() => table.call(x)).toThrow(
      expect.objectContaining({
        code: 'DTYPE',
        message: expect.stringContaining('the indices have dtype float32, they must have int32'),
      }),
    );
    x.dispose();
    table.dispose();
  });

  it.each([[3], [-1]])('refuses index %i of a table of three', (index) => {
    const table = new Embedding(3, 2);
    const x = tf.tensor1d([index], 'int32');
    expect(() => table.call(x)).toThrow(`index value ${index} is not in [0, 2]`);
    x.dispose();
    table.dispose();
  });

  it('refuses sizes that are no positive integers', () => {
    expect(() => new Embedding(0, 2)).toThrow(expect.objectContaining({ code: 'OPTION' }));
    expect(() => new Embedding(2, 1.5)).toThrow('embeddingDim is 1.5');
  });
});
