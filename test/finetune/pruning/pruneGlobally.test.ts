import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { isPruned, pruneGlobally } from '../../../src/finetune/index.ts';
import {
  fold,
  isParametrized,
  nn,
  type Prune,
  parametrizationsOn,
  prune,
  tie,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import golden from '../../golden/prune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../../nn/golden.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';

interface GlobalCase {
  readonly amount: number;
  readonly amount_is: 'fraction' | 'count';
  readonly tensors: readonly {
    readonly path: string;
    readonly tensor: string;
    readonly weight: GoldenTensor;
  }[];
  readonly steps: readonly (readonly GoldenTensor[])[];
  readonly scores?: Readonly<Record<string, GoldenTensor>>;
  readonly before?: Readonly<Record<string, { readonly amount: number }>>;
}

const cases = golden.global as unknown as readonly GlobalCase[];

const network = (): nn.Sequential =>
  new nn.Sequential(new nn.Conv1d(2, 3, 3), new nn.Flatten(), new nn.Linear(6, 4), new nn.Linear(4, 2));

const maskOf = (host: object, name: string): number[] => {
  const list = parametrizationsOn(host, name);
  return flatten((list[list.length - 1] as Prune).mask);
};

const zerosIn = (numbers: readonly number[]): number => numbers.filter((x) => x === 0).length;

const matchAll = ['0.weight', '2.weight', '2.bias', '3.weight'];

describe('pruneGlobally', () => {
  it.each(cases.map((one, i) => [i, one] as const))('has the masks of torch, case %i', (_, one) => {
    const model = network();
    const hostOf = (path: string): nn.Module => model[Number(path)] as nn.Module;
    inTidy(() => {
      for (const { path, tensor, weight } of one.tensors) {
        ((hostOf(path) as unknown as Record<string, tf.Variable>)[tensor] as tf.Variable).assign(
          tensorOf(weight),
        );
      }
    });
    for (const [key, { amount }] of Object.entries(one.before ?? {})) {
      const [path, tensor] = key.split('.') as [string, string];
      prune(hostOf(path), tensor as never, { fraction: amount });
    }
    for (const masks of one.steps) {
      const report = pruneGlobally(model, {
        match: matchAll,
        name: '*',
        [one.amount_is]: one.amount,
        ...(one.scores && {
          scores: ({ path, tensor }) => {
            const scores = one.scores![`${path}.${tensor}`];
            return scores === undefined ? null : tensorOf(scores);
          },
        }),
      });
      expect(report.registered.map(({ path, tensor }) => `${path}.${tensor}`)).toEqual(matchAll);
      inTidy(() => {
        for (const [i, { path, tensor }] of one.tensors.entries()) {
          expect(maskOf(hostOf(path), tensor)).toEqual(flatten(tensorOf(masks[i]!)));
        }
      });
    }
    model.dispose();
  });

  it('takes main weights by default, counts what lives, and hides at random by the seed', () => {
    const masks = [1, 1, 2].map((seed) => {
      nn.manualSeed(seed);
      const model = network();
      pruneGlobally(model, { fraction: 0.5, method: 'random' });
      pruneGlobally(model, { fraction: 0.5, method: 'random' });
      const found = [0, 2, 3].flatMap((i) => maskOf(model[i]!, 'weight'));
      // 12 of 25, because halves are rounded to the even number.
      expect(found.length - zerosIn(found)).toBe(13);
      expect(isParametrized(model[2] as nn.Linear, 'bias')).toBe(false);
      model.dispose();
      return found;
    });
    expect(masks[1]).toEqual(masks[0]);
    expect(masks[2]).not.toEqual(masks[0]);
  });

  it('reaches a sparsity of all, and lets elements come back with regrow', () => {
    nn.manualSeed(3);
    const model = network();
    const hidden = (): number => zerosIn([0, 2, 3].flatMap((i) => maskOf(model[i]!, 'weight')));
    pruneGlobally(model, { sparsity: 0.8 });
    expect(hidden()).toBe(40);
    pruneGlobally(model, { sparsity: 0.5 });
    expect(hidden()).toBe(40);
    const report = pruneGlobally(model, { sparsity: 0.5, regrow: true });
    expect(hidden()).toBe(25);
    expect(report.recipe.parametrizations[0]!.steps).toEqual([{ kind: 'prune', options: {} }]);
    expect(String(report)).toContain('± Prune');
    model.dispose();
  });

  it('scores weights by their values above weight norm, and is undone with its zeros', () => {
    nn.manualSeed(4);
    const model = network();
    weightNorm(model[2] as nn.Linear);
    inTidy(() => (model[2] as nn.Linear).parametrizations!.weight!.g!.assign(tf.fill([4, 1], 1e-3)));
    const report = pruneGlobally(model, { count: 24 });
    expect(zerosIn(maskOf(model[2]!, 'weight'))).toBe(24);
    expect(report.recipe.parametrizations).toHaveLength(3);
    report.undo();
    expect(isPruned(model)).toBe(false);
    expect((model[2] as nn.Linear).parametrizations!.weight!.length).toBe(1);
    model.dispose();
  });

  it('prunes models of tf.layers that are compiled, and they train on', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 6, inputShape: [4] }), tf.layers.dense({ units: 2 })],
    });
    model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'meanSquaredError' });
    const [x, y] = [tf.randomNormal([8, 4], 0, 1, 'float32', 2), tf.ones([8, 2])];
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    pruneGlobally(model, { type: 'Dense', fraction: 0.75 });
    expect(isPruned(model)).toBe(true);
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    fold(model);
    expect(isPruned(model)).toBe(false);
    const kernels = model.layers.map((layer) => flatten(layer.getWeights()[0]!));
    expect(zerosIn(kernels.flat())).toBe(27);
    const { optimizer } = model;
    optimizer.dispose();
    (optimizer as unknown as { c: tf.Tensor }).c.dispose();
    tf.dispose([x, y]);
    model.dispose();
  });

  it('leaves a tied tensor to its source', () => {
    const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 4));
    tie(model[1] as nn.Linear, 'weight', model[0] as nn.Linear);
    const report = pruneGlobally(model, { fraction: 0.5 });
    expect(report.registered.map(({ path }) => path)).toEqual(['0']);
    expect(report.skipped.map(({ path, reason }) => [path, reason])).toEqual([
      ['1', "it is tied to '0.weight'"],
    ]);
    expect(() => pruneGlobally(model, { match: '1', fraction: 0.5 })).toThrow(
      "'1.weight' stays, because it is tied to '0.weight'",
    );
    model.dispose();
  });

  it.each([
    ['OPTION', {}],
    ['OPTION', { fraction: 0.5, count: 2 }],
    ['OPTION', { fraction: 2 }],
    ['OPTION', { count: 51 }],
    ['OPTION', { fraction: 0.5, dim: 0 }],
    ['OPTION', { fraction: 0.5, method: 'random', scores: (): null => null }],
    ['OPTION', { fraction: 0.5, scores: (): number => 3 }],
    ['NOT_A_FUNCTION', { fraction: 0.5, scores: 3 }],
    ['UNMATCHED_RULE', { fraction: 0.5, match: 'nothing' }],
    ['SHAPE', { fraction: 0.5, scores: (): tf.Tensor => tf.ones([2]) }],
  ] as const)('refuses with %s, and changes nothing: %j', (code, options) => {
    const model = network();
    prune(model[3] as nn.Linear, { count: 2 });
    const before = maskOf(model[3]!, 'weight');
    expect(() => pruneGlobally(model, options as never)).toThrow(expect.objectContaining({ code }));
    expect(maskOf(model[3]!, 'weight')).toEqual(before);
    expect((model[0] as nn.Conv1d).parametrizations).toBeUndefined();
    model.dispose();
  });
});
