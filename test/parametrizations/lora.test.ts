import * as tf from '@tensorflow/tfjs';
import { describe, expect, it, vi } from 'vitest';
import { forgetWarnings } from '../../src/core/warnOnce.ts';
import {
  applyRecipe,
  clone,
  describe as describeModel,
  fold,
  groupOptimizer,
  insertParametrization,
  type Lora,
  lora,
  nn,
  parametrizationsOn,
  parametrize,
  recipeOf,
  removeParametrization,
  removeParametrizations,
  unitNorm,
  valueOf,
  WeightNorm,
  weightNorm,
} from '../../src/index.ts';
import '../../src/layers/index.ts';
import golden from '../golden/finetune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { disposeHosted, hostOf, loraCases, parametersOf } from './adapterGolden.ts';

describe('lora, by the numbers of torch', () => {
  it.each(
    loraCases.map((one) => [`${one.kind}, alpha ${one.alpha}, rslora ${one.use_rslora}`, one] as const),
  )('%s', (_, one) => {
    inTidy(() => {
      const hosted = hostOf(one);
      const { host } = hosted;
      lora(host, 'weight', { rank: one.r, alpha: one.alpha, useRslora: one.use_rslora! });
      const { lora_A: A, lora_B: B } = parametersOf(host) as { lora_A: tf.Variable; lora_B: tf.Variable };
      expect([A.shape, B.shape]).toEqual([one.lora_A.shape, one.lora_B.shape]);
      A.assign(tensorOf(one.lora_A));
      B.assign(tensorOf(one.lora_B));
      expect(host.weight).toBeAllClose(tensorOf(one.value));
      expect(hosted.output()).toBeAllClose(tensorOf(one.output));
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.mul(hosted.output(), tensorOf(one.dy))) as tf.Scalar,
        [A, B],
      );
      expect(grads[A.name]!).toBeAllClose(tensorOf(one.d_lora_A));
      expect(grads[B.name]!).toBeAllClose(tensorOf(one.d_lora_B));
      disposeHosted(hosted);
    });
  });

  const { first, second, weight, weights, ...values } = golden.lora.adapters as unknown as Record<
    string,
    GoldenTensor
  > & {
    first: { lora_A: GoldenTensor; lora_B: GoldenTensor };
    second: { lora_A: GoldenTensor; lora_B: GoldenTensor };
    weights: [number, number];
  };
  it('several adapters are an exact weighted sum', () => {
    const layer = new nn.Linear(6, 5, { bias: false });
    inTidy(() => {
      (layer.weight as tf.Variable).assign(tensorOf(weight!));
      lora(layer, { rank: 2, alpha: 4, adapter: 'first' });
      lora(layer, { rank: 3, alpha: 3, useRslora: true, adapter: 'second' });
      const map = layer.parametrizations!.weight![0] as Lora;
      for (const [name, { lora_A, lora_B }] of Object.entries({ first, second })) {
        (map.lora_A.get(name) as tf.Variable).assign(tensorOf(lora_A));
        (map.lora_B.get(name) as tf.Variable).assign(tensorOf(lora_B));
      }
      const expectValue = (active: Record<string, number>, name: string): void => {
        map.active = active;
        expect(layer.weight).toBeAllClose(tensorOf(values[name]!));
      };
      expectValue({}, 'none');
      expectValue({ second: 1 }, 'only_second');
      expectValue({ first: 1, second: 1 }, 'both');
      expectValue({ first: weights[0], second: weights[1] }, 'weighted');
    });
    layer.dispose();
  });
});

describe('lora', () => {
  const linear = (): nn.Linear => {
    nn.manualSeed(1);
    return new nn.Linear(6, 5);
  };
  const valueIn = (layer: nn.Linear): number[] => tf.tidy(() => flatten(layer.weight));
  const randomize = (layer: nn.Linear): void => {
    const map = [...parametrizationsOn(layer, 'weight')].at(-1) as Lora;
    tf.tidy(() => {
      for (const dict of Object.values(map.dictionaries())) {
        for (const one of dict.values())
          (one as tf.Variable).assign(tf.randomNormal(one.shape, 0, 1, 'float32', 3));
      }
    });
  };

  it('keeps every bit of the value, and gives the variable and its flag back', () => {
    for (const trainable of [true, false]) {
      const layer = linear();
      const { weight } = layer as { weight: tf.Tensor };
      (weight as tf.Variable).trainable = trainable;
      const before = valueIn(layer);
      lora(layer, { rank: 2 });
      expect(valueIn(layer)).toEqual(before);
      expect(layer.parametrizations!.weight!.original).toBe(weight);
      expect((weight as tf.Variable).trainable).toBe(false);
      removeParametrizations(layer, 'weight');
      expect(layer.weight).toBe(weight);
      expect((weight as tf.Variable).trainable).toBe(trainable);
      expect(valueIn(layer)).toEqual(before);
      layer.dispose();
    }
  });

  it('stacks on a chain, whose originals train again after its removal', () => {
    for (const keep of ['value', 'originals'] as const) {
      const layer = linear();
      weightNorm(layer);
      const list = layer.parametrizations!.weight!;
      lora(layer, { rank: 2 });
      randomize(layer);
      const value = valueIn(layer);
      expect([list.g!.trainable, list.v!.trainable]).toEqual([false, false]);
      expect(layer.parameters().filter(({ trainable }) => trainable).length).toBe(3);
      removeParametrization(layer, 'weight', 'lora', { keep });
      expect([list.g!.trainable, list.v!.trainable]).toEqual([true, true]);
      if (keep === 'value') inTidy(() => expect(layer.weight).toBeAllClose(value));
      layer.dispose();
    }
  });

  it('freezes what is inserted below it, and nothing above it', () => {
    const layer = linear();
    lora(layer, { rank: 2 });
    insertParametrization(layer, 'weight', new WeightNorm(), { at: 0 });
    const list = layer.parametrizations!.weight!;
    expect([list.original0!.trainable, list.original1!.trainable]).toEqual([false, false]);
    unitNorm(layer);
    removeParametrization(layer, 'weight', 'lora');
    expect([list.original0!.trainable, list.original1!.trainable]).toEqual([true, true]);
    layer.dispose();
  });

  it('takes an assigned value: the original is the value without the changes of the active adapters', () => {
    const layer = lora(new nn.Linear(6, 5), { rank: 2, alpha: 4 });
    const { lora_A: A, lora_B: B } = parametersOf(layer) as Record<'lora_A' | 'lora_B', tf.Variable>;
    inTidy(() => {
      B.assign(tf.randomNormal(B.shape, 0, 1, 'float32', 3));
      const value = tf.randomNormal([5, 6], 0, 1, 'float32', 4);
      layer.weight = value;
      expect(layer.weight).toBeAllClose(value, { absolute: 1e-6 });
      const change = tf.mul(tf.matMul(B as tf.Tensor as tf.Tensor2D, A as tf.Tensor as tf.Tensor2D), 2);
      const { original } = parametrizationsOn(layer, 'weight');
      expect(original!).toBeAllClose(tf.sub(value, change), { absolute: 1e-6 });
    });
    layer.dispose();
  });

  it('refuses a second adapter of the same name, and changes nothing then', () => {
    const layer = linear();
    lora(layer, { rank: 2 });
    const keys = Object.keys(layer.stateDict());
    expect(() => lora(layer, { rank: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[ParametrizeError: lora: there is an adapter 'default' already. Pass another name: { adapter }; or remove it first by unloadAdapters.]`,
    );
    expect(() => lora(layer, { rank: 3, adapter: 'a', adapters: [{ adapter: 'default' }] })).toThrow(
      /default/,
    );
    expect(() => lora(layer, { adapter: 'a.b' })).toThrow(/without a dot/);
    expect(() => lora(layer, { adapter: 'forward' })).toThrow(
      expect.objectContaining({ code: 'INVALID_NAME' }),
    );
    expect(Object.keys(layer.stateDict())).toEqual(keys);
    layer.dispose();
  });

  it('warns once about a rank that saves nothing', () => {
    forgetWarnings();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const layers = [linear(), linear()];
    for (const layer of layers) {
      lora(layer, { rank: 5 });
      layer.dispose();
    }
    expect(warn.mock.calls).toMatchInlineSnapshot(`
      [
        [
          "tfjs-parametrize: lora got the rank 5 for a matrix of 5 × 6: it has as many parameters as the matrix, or more",
        ],
      ]
    `);
    warn.mockRestore();
    forgetWarnings();
  });

  it('refuses vectors, and kernels of depthwise convolutions', () => {
    const layer = linear();
    expect(() => lora(layer, 'bias')).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    layer.dispose();
    const depthwise = tf.layers.depthwiseConv2d({ kernelSize: 3, inputShape: [5, 5, 2] });
    const model = tf.sequential({ layers: [depthwise] });
    expect(() => lora(depthwise)).toThrowErrorMatchingInlineSnapshot(
      `[ParametrizeError: lora: every pair of the last two axes of the kernel is one output, so that it has no matrix of low rank. Register it on the pointwise kernel of a separable convolution, or pass { dim }.]`,
    );
    model.dispose();
  });

  it('has the gradients of central differences, of both orders, for active adapters only', () => {
    const layer = linear();
    lora(layer, { rank: 2, adapter: 'a' });
    lora(layer, { rank: 2, adapter: 'b' });
    randomize(layer);
    const map = layer.parametrizations!.weight![0] as Lora;
    map.active = { a: 0.5 };
    const of = (name: string): tf.Variable[] =>
      [map.lora_A, map.lora_B].map((dict) => dict.get(name) as tf.Variable);
    expectGradients(() => layer.weight, of('a'));
    inTidy(() => {
      const { grads } = tf.variableGrads(() => tf.sum(layer.weight) as tf.Scalar);
      expect(Object.keys(grads)).toEqual(of('a').map(({ name }) => name));
    });
    layer.dispose();
  });

  it('drops inputs of A while it trains, and nothing else', () => {
    const layer = linear();
    lora(layer, { rank: 2, dropout: 0.5 });
    randomize(layer);
    const { original } = layer.parametrizations!.weight!;
    nn.manualSeed(4);
    inTidy(() => {
      const change = tf.sub(layer.weight, original!);
      layer.eval();
      const whole = tf.sub(layer.weight, original!);
      const [rows, dropped, kept] = [flatten(change), flatten(whole), new Set<number>()];
      for (const [i, x] of rows.entries()) if (x !== 0) kept.add(i % 6);
      expect(kept.size).toBeGreaterThan(0);
      expect(kept.size).toBeLessThan(6);
      expect(rows).toBeAllClose(dropped.map((x, i) => (kept.has(i % 6) ? 2 * x : 0)));
    });
    layer.dispose();
  });

  it('is copied, described, made by a recipe, grouped and folded with several adapters', () => {
    const model = new nn.Sequential(linear(), new nn.Linear(5, 4));
    const layer = model[0] as nn.Linear;
    lora(layer, { rank: 2, adapter: 'a' });
    lora(layer, { rank: 3, alpha: 6, adapter: 'b' });
    randomize(layer);
    (layer.parametrizations!.weight![0] as Lora).active = { a: 0.5, b: -1 };
    const value = valueIn(layer);
    const copy = clone(model);
    expect(valueIn(copy[0] as nn.Linear)).toEqual(value);
    const recipe = recipeOf(model);
    expect(recipe).toMatchInlineSnapshot(`
      {
        "parametrizations": [
          {
            "path": "0",
            "steps": [
              {
                "kind": "lora",
                "options": {
                  "active": {
                    "a": 0.5,
                    "b": -1,
                  },
                  "adapter": "a",
                  "adapters": [
                    {
                      "adapter": "b",
                      "alpha": 6,
                      "dropout": 0,
                      "initial": "kaiming",
                      "rank": 3,
                      "useRslora": false,
                    },
                  ],
                  "alpha": 2,
                  "dim": 0,
                  "dropout": 0,
                  "initial": "kaiming",
                  "rank": 2,
                  "rankAxis": "first",
                  "useRslora": false,
                },
              },
            ],
            "tensor": "weight",
          },
        ],
        "version": 1,
      }
    `);
    const other = new nn.Sequential(linear(), new nn.Linear(5, 4));
    applyRecipe(other, JSON.stringify(recipe), { catalog: { lora } });
    expect(recipeOf(other)).toEqual(recipe);
    expect(applyRecipe(other, recipe, { catalog: { lora } }).unchanged).toHaveLength(1);
    other.loadStateDict(model.stateDict());
    expect(valueIn(other[0] as nn.Linear)).toEqual(value);
    expect(describeModel(model).rows[0]!.chain).toEqual([
      'Lora(a: rank=2, alpha=2, weight=0.5; b: rank=3, alpha=6, weight=-1)',
    ]);
    const sgd = tf.train.sgd(0.1);
    const groups = groupOptimizer(model, [
      { original: 'lora_A', optimizer: sgd },
      { optimizer: null },
    ]).groups;
    expect(groups[0]!.keys).toEqual([
      '0.parametrizations.weight.0.lora_A.a',
      '0.parametrizations.weight.0.lora_A.b',
    ]);
    fold(model);
    expect(valueIn(layer)).toEqual(value);
    expect((layer.weight as tf.Variable).trainable).toBe(true);
    for (const one of [model, copy, other]) one.dispose();
    sgd.dispose();
  });

  it('a rule adds an adapter once, and its undo takes only that away', () => {
    const model = new nn.Sequential(linear());
    const rule = (adapter: string, rank = 2) => [
      { type: nn.Linear, apply: lora, options: { rank, adapter } },
    ];
    parametrize(model, rule('a'));
    const report = parametrize(model, rule('b'));
    expect(report.registered).toHaveLength(1);
    expect(parametrize(model, rule('b')).unchanged).toHaveLength(1);
    expect(() => parametrize(model, rule('b', 3))).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    const map = (model[0] as nn.Linear).parametrizations!.weight![0] as Lora;
    expect(map.adapterNames).toEqual(['a', 'b']);
    report.undo();
    expect(map.adapterNames).toEqual(['a']);
    expect(Object.keys(model.stateDict()).filter((key) => key.includes('lora'))).toHaveLength(2);
    model.dispose();
  });

  it('has the factors of each layer of tf.layers with the features last', () => {
    const layers: Record<string, [tf.layers.Layer, number[][], string?]> = {
      dense: [
        tf.layers.dense({ units: 6, inputShape: [5] }),
        [
          [5, 2],
          [2, 6],
        ],
      ],
      conv2d: [
        tf.layers.conv2d({ filters: 6, kernelSize: [3, 2], inputShape: [4, 4, 5] }),
        [
          [3, 2, 5, 2],
          [2, 6],
        ],
      ],
      conv1d: [
        tf.layers.conv1d({ filters: 6, kernelSize: 3, inputShape: [4, 5] }),
        [
          [3, 5, 2],
          [2, 6],
        ],
      ],
      transposed: [
        tf.layers.conv2dTranspose({ filters: 6, kernelSize: 3, inputShape: [4, 4, 5] }),
        [
          [3, 3, 5, 2],
          [2, 6],
        ],
      ],
      separable: [
        tf.layers.separableConv2d({ filters: 6, kernelSize: 3, inputShape: [4, 4, 5] }),
        [
          [1, 1, 5, 2],
          [2, 6],
        ],
      ],
      embedding: [
        tf.layers.embedding({ inputDim: 7, outputDim: 6, inputShape: [3] }),
        [
          [7, 2],
          [2, 6],
        ],
      ],
      gru: [
        tf.layers.gru({ units: 4, inputShape: [3, 5] }),
        [
          [5, 2],
          [2, 12],
        ],
        'cell.kernel',
      ],
      recurrent: [
        tf.layers.gru({ units: 4, inputShape: [3, 5] }),
        [
          [4, 2],
          [2, 12],
        ],
        'cell.recurrentKernel',
      ],
    };
    for (const [name, [layer, shapes, path]] of Object.entries(layers)) {
      const model = tf.sequential({ layers: [layer] });
      nn.manualSeed(2);
      lora(layer as never, path as never, { rank: 2 });
      const [{ path: at, tensor }] = recipeOf(model).parametrizations as never as [
        { path: string; tensor: string },
      ];
      const owner = at.endsWith('.cell') ? (layer as unknown as { cell: object }).cell : layer;
      const list = parametrizationsOn(owner, tensor);
      expect(
        list
          .namedParameters()
          .slice(1)
          .map(([, { shape }]) => shape),
        name,
      ).toEqual(shapes);
      tf.tidy(() => {
        const map = list[0] as Lora;
        const [A, B] = [map.lora_A.get('default')!, map.lora_B.get('default')!] as tf.Variable[];
        for (const one of [A!, B!]) one.assign(tf.randomNormal(one.shape, 0, 1, 'float32', 4));
        const change = tf.sub(list.forward(), list.original!);
        const features = shapes[1]![1]!;
        // Rows are the other axes, whatever the axis of the features.
        const moved = name === 'transposed' ? tf.transpose(change, [0, 1, 3, 2]) : change;
        const product = tf.matMul(tf.reshape(A!, [-1, 2]) as tf.Tensor2D, B as unknown as tf.Tensor2D);
        expect(tf.reshape(moved, [-1, features])).toBeAllClose(product);
      });
      model.dispose();
    }
  });

  it('trains only adapters in fit, and removal lets the kernel train again', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 3, inputShape: [4] }), tf.layers.dense({ units: 2 })],
    });
    const [first] = model.layers as [tf.layers.Layer];
    model.compile({ optimizer: tf.train.adam(0.05), loss: 'meanSquaredError' });
    const report = parametrize(model, [{ type: 'Dense', apply: lora, options: { rank: 1 } }]);
    const list = parametrizationsOn(first, 'kernel');
    const before = tf.tidy(() => flatten(list.original!));
    const value = tf.tidy(() => flatten(valueOf(first, 'kernel')));
    const [x, y] = [tf.ones([4, 4]), tf.ones([4, 2])];
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    expect(tf.tidy(() => flatten(list.original!))).toEqual(before);
    expect(tf.tidy(() => flatten(valueOf(first, 'kernel')))).not.toEqual(value);
    expect(model.trainableWeights.map(({ shape }) => shape)).toHaveLength(6);
    report.undo();
    expect(model.trainableWeights).toHaveLength(4);
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    tf.dispose([x, y]);
    model.optimizer.dispose();
    model.dispose();
  });
});
