import * as tf from '@tensorflow/tfjs-core';
import { expect, it, describe as suite } from 'vitest';
import { describe, nn, registerParametrization, Skew, weightNorm } from '../../src/index.ts';
import { Counting } from '../parametrize/laws/specimens.ts';

suite('describe', () => {
  it('lists each parametrized tensor with its chain, originals and counts', () => {
    const model = new nn.Sequential(new nn.Linear(3, 3), new nn.Tanh(), new nn.Linear(3, 2));
    const [first, , last] = [...model] as [nn.Linear, nn.Module, nn.Linear];
    weightNorm(last);
    registerParametrization(first, 'weight', new Skew());
    registerParametrization(first, 'weight', (x: tf.Tensor) => tf.mul(x, 2));
    last.weight;
    last.weight;
    const before = tf.memory().numTensors;
    const { rows } = describe(model);
    expect(tf.memory().numTensors).toBe(before);
    expect(rows.map(({ path, tensor, host }) => [path, tensor, host])).toEqual([
      ['0', 'weight', 'Linear'],
      ['2', 'weight', 'Linear'],
    ]);
    expect(rows[0]!.chain).toEqual(['Skew()', 'function']);
    expect(rows[1]!.originals).toEqual([
      { name: 'original0', shape: [2, 1], trainable: true },
      { name: 'original1', shape: [2, 3], trainable: true },
    ]);
    expect(rows[1]).toMatchObject({ reads: 2, evaluations: 1, shape: [2, 3] });
    expect(String(describe(model))).toMatchInlineSnapshot(`
      "tensor    host    shape   chain              originals      reads  evaluations
      0.weight  Linear  [3, 3]  Skew() → function  [3, 3]             0            1
      2.weight  Linear  [2, 3]  WeightNorm(dim=0)  [2, 1] [2, 3]      2            1"
    `);
    model.dispose();
  });

  it('evaluates nothing and advances no state', () => {
    const model = new nn.Linear(2, 2);
    const map = new Counting();
    registerParametrization(model, 'weight', map);
    String(describe(model));
    expect(map.count).toBeAllClose(0);
    model.dispose();
    map.dispose();
  });

  it('says so where nothing is parametrized, and refuses what is no model', () => {
    const model = new nn.Linear(2, 2);
    expect(String(describe(model))).toBe('nothing is parametrized');
    expect(() => describe(null as never)).toThrow('describe: expected a module or an object, got null');
    model.dispose();
  });
});
