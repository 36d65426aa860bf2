import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { parametrized } from '../../src/decorators/index.ts';
import {
  applyRecipe,
  clone,
  describe as describeModel,
  fold,
  type LoraBias,
  loraBias,
  nn,
  parametrizationsOn,
  recipeOf,
  removeParametrizations,
} from '../../src/index.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';

const valueIn = (layer: nn.Linear): number[] => tf.tidy(() => flatten(layer.bias as tf.Tensor));
const change = (layer: nn.Linear, name: string): tf.Variable =>
  (parametrizationsOn(layer, 'bias')[0] as LoraBias).lora_bias.get(name) as tf.Variable;

function assign(layer: nn.Linear, name: string, numbers: number[]): void {
  tf.tidy(() => change(layer, name).assign(tf.tensor1d(numbers)));
}

describe('loraBias', () => {
  it('adds the active changes with the scaling of their ranks, and keeps the value at first', () => {
    const layer = new nn.Linear(4, 2);
    const base = valueIn(layer);
    loraBias(layer, 'bias', { rank: 2, alpha: 6, adapter: 'a' });
    loraBias(layer, 'bias', { rank: 4, alpha: 6, useRslora: true, adapter: 'b' });
    expect(valueIn(layer)).toEqual(base);
    assign(layer, 'a', [1, 2]);
    assign(layer, 'b', [-1, 1]);
    const of = (a: number, b: number): number[] =>
      base.map((x, i) => x + a * 3 * [1, 2][i]! + b * 3 * [-1, 1][i]!);
    expect(valueIn(layer)).toBeAllClose(of(1, 0));
    const map = parametrizationsOn(layer, 'bias')[0] as LoraBias;
    map.active = { a: 0.5, b: -1 };
    expect(valueIn(layer)).toBeAllClose(of(0.5, -1));
    inTidy(() => {
      layer.bias = tf.tensor1d([7, 8]);
    });
    expect(valueIn(layer)).toBeAllClose([7, 8]);
    layer.dispose();
  });

  it('trains the active changes and nothing else of the bias', () => {
    const layer = new nn.Linear(4, 2);
    loraBias(layer, 'bias', { rank: 2, adapter: 'a' });
    loraBias(layer, 'bias', { rank: 2, adapter: 'b' });
    inTidy(() => {
      const { grads } = tf.variableGrads(() => tf.sum(layer.bias as tf.Tensor) as tf.Scalar);
      expect(Object.keys(grads)).toEqual([change(layer, 'a').name]);
    });
    expectGradients(() => layer.bias as tf.Tensor, [change(layer, 'a')]);
    layer.dispose();
  });

  it('is described, made by a recipe, copied, folded and removed, and gives the flag back', () => {
    const layer = new nn.Linear(4, 2);
    const bias = layer.bias as tf.Variable;
    loraBias(layer, 'bias', { rank: 2, adapter: 'a' });
    loraBias(layer, 'bias', { rank: 3, alpha: 6, adapter: 'b' });
    (parametrizationsOn(layer, 'bias')[0] as LoraBias).active = { b: 2 };
    assign(layer, 'b', [1, 2]);
    const value = valueIn(layer);
    expect(describeModel(layer).rows[0]!.chain).toEqual([
      'LoraBias(a: rank=2, alpha=2, inactive; b: rank=3, alpha=6, weight=2)',
    ]);
    const recipe = recipeOf(layer);
    expect(recipe.parametrizations[0]!.steps).toMatchInlineSnapshot(`
      [
        {
          "kind": "loraBias",
          "options": {
            "active": {
              "b": 2,
            },
            "adapter": "a",
            "adapters": [
              {
                "adapter": "b",
                "alpha": 6,
                "rank": 3,
                "useRslora": false,
              },
            ],
            "alpha": 2,
            "rank": 2,
            "useRslora": false,
          },
        },
      ]
    `);
    const other = new nn.Linear(4, 2);
    applyRecipe(other, JSON.stringify(recipe), { catalog: { loraBias } });
    expect(recipeOf(other)).toEqual(recipe);
    other.loadStateDict(layer.stateDict());
    const copy = clone(layer);
    for (const one of [other, copy]) expect(valueIn(one)).toEqual(value);
    fold(copy);
    expect(valueIn(copy)).toEqual(value);
    expect((copy.bias as tf.Variable).trainable).toBe(true);
    expect(bias.trainable).toBe(false);
    removeParametrizations(layer, 'bias', { leaveParametrized: false });
    expect(layer.bias).toBe(bias);
    expect(bias.trainable).toBe(true);
    for (const one of [layer, other, copy]) one.dispose();
  });

  it('is a decorator of a field', () => {
    class Net extends nn.Module {
      @parametrized(loraBias, { rank: 2, adapter: 'b' })
      @parametrized(loraBias, { rank: 2, adapter: 'a' })
      bias: tf.Tensor = nn.parameter(() => tf.ones([3]));

      override forward(): tf.Tensor {
        return this.bias;
      }
    }
    const net = new Net();
    expect(Object.keys(net.stateDict())).toEqual([
      'parametrizations.bias.original',
      'parametrizations.bias.0.lora_bias.a',
      'parametrizations.bias.0.lora_bias.b',
    ]);
    net.dispose();
  });

  it('refuses a layer without a bias, options that it lacks and a name that is taken; nothing changes then', () => {
    const layer = new nn.Linear(4, 2, { bias: false });
    expect(() => loraBias(layer, 'bias')).toThrowErrorMatchingInlineSnapshot(
      `[ParametrizeError: loraBias: Linear.bias is null, so there is nothing to parametrize. It has: weight.]`,
    );
    const biased = loraBias(new nn.Linear(4, 2), 'bias', { rank: 2 });
    const keys = Object.keys(biased.stateDict());
    expect(() => loraBias(biased, 'bias', { rank: 3 })).toThrow(
      expect.objectContaining({ code: 'CONFLICT' }),
    );
    expect(() => loraBias(biased, 'bias', { adapter: 'x', dropout: 0.5 } as never)).toThrow(/dropout/);
    expect(() =>
      loraBias(biased, 'bias', { adapter: 'x', adapters: [{ adapter: 'y', dropout: 0.5 }] } as never),
    ).toThrow(expect.objectContaining({ code: 'OPTION' }));
    expect(Object.keys(biased.stateDict())).toEqual(keys);
    for (const one of [layer, biased]) one.dispose();
  });
});
