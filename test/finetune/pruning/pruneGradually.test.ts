import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { cubicSparsity, pruneGradually, sparsityOf } from '../../../src/finetune/index.ts';
import { fold, nn, type Prune, parametrizationsOn, removeParametrization } from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import golden from '../../golden/prune.json' with { type: 'json' };
import { inTidy } from '../../parametrize/fixtures.ts';
import { optimizers } from '../../parametrize/laws/specimens.ts';
import { flatten } from '../../toBeAllClose.ts';

const maskOf = (host: object, name = 'weight'): number[] =>
  flatten((parametrizationsOn(host, name)[0] as Prune).mask);

const zerosIn = (numbers: readonly number[]): number => numbers.filter((x) => x === 0).length;

describe('cubicSparsity', () => {
  it.each(golden.schedule)('has the numbers of the formula from $begin, every $every', (one) => {
    const { initial, final, begin, every, steps } = one;
    const sparsity = cubicSparsity({ initial, final, begin, end: begin + steps * every });
    for (const [step, wanted] of one.at as [number, number][]) expect(sparsity(step)).toBeCloseTo(wanted, 12);
  });

  it('may jump at one step, and refuses schedules that end before they begin', () => {
    const sparsity = cubicSparsity({ final: 0.5, begin: 3, end: 3 });
    expect([2, 3, 4].map(sparsity)).toEqual([0, 0.5, 0.5]);
    for (const options of [
      { final: 0.5, begin: 3, end: 2 },
      { final: 1.5, end: 2 },
      { final: 0.5, end: 2.5 },
      { final: 0.5, initial: -1, end: 2 },
      { final: 0.5, end: 2, power: 3 },
    ]) {
      expect(() => cubicSparsity(options)).toThrow(expect.objectContaining({ code: 'OPTION' }));
    }
  });
});

describe('pruneGradually', () => {
  it.each(golden.schedule)(
    'changes the masks at the steps of the schedule from $begin, every $every',
    (one) => {
      const { initial, final, begin, every, steps } = one;
      const layer = new nn.Linear(10, 10);
      const end = begin + steps * every;
      const pruning = pruneGradually(layer, { initial, final, begin, end, every });
      const changed = begin === 0 ? [0] : [];
      expect(zerosIn(maskOf(layer))).toBe(begin === 0 ? Math.round(100 * initial) : 0);
      for (let step = 1; step <= end + 5; step++) {
        if (pruning.step()) changed.push(step);
        expect(pruning.steps).toBe(step);
      }
      expect(changed).toEqual(one.updates_at);
      expect(pruning.sparsity).toBe(final);
      expect(zerosIn(maskOf(layer))).toBe(Math.round(100 * final));
      layer.dispose();
    },
  );

  it('only narrows masks by default, lets elements come back with regrow, and goes on from a step', () => {
    for (const regrow of [false, true]) {
      const layer = new nn.Linear(4, 1, { bias: false });
      const original = layer.weight as tf.Variable;
      inTidy(() => original.assign(tf.tensor2d([[1, 2, 3, 4]])));
      const pruning = pruneGradually(layer, { final: 0.5, begin: 1, end: 10, initial: 0.5, regrow });
      pruning.step();
      expect(maskOf(layer)).toEqual([0, 0, 1, 1]);
      inTidy(() => original.assign(tf.tensor2d([[9, 8, 3, 4]])));
      pruning.step();
      expect(maskOf(layer)).toEqual(regrow ? [1, 1, 0, 0] : [0, 0, 1, 1]);
      pruning.steps = 20;
      expect(pruning.step()).toBe(false);
      expect(pruning.steps).toBe(21);
      expect(() => {
        pruning.steps = -1;
      }).toThrow(expect.objectContaining({ code: 'OPTION' }));
      layer.dispose();
    }
  });

  it('hides slices, and elements of all tensors in one order', () => {
    nn.manualSeed(1);
    const model = new nn.Sequential(new nn.Linear(4, 8), new nn.Linear(8, 4));
    pruneGradually(model, { final: 0.5, end: 1, dim: 0 }).step();
    const rows = Array.from({ length: 8 }, (_, i) => maskOf(model[0]!).slice(4 * i, 4 * i + 4));
    expect(rows.filter((row) => zerosIn(row) === 4)).toHaveLength(4);
    fold(model);
    inTidy(() => ((model[1] as nn.Linear).weight as tf.Variable).assign(tf.fill([4, 8], 100)));
    pruneGradually(model, { final: 0.5, end: 1, global: true }).step();
    expect([0, 1].map((i) => zerosIn(maskOf(model[i]!)))).toEqual([32, 0]);
    model.dispose();
  });

  it('leaves tensors alone whose mask was removed', () => {
    const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 4));
    const pruning = pruneGradually(model, { final: 0.5, end: 2 });
    removeParametrization(model[0] as nn.Linear, 'weight', 'prune');
    pruning.step();
    pruning.step();
    expect((model[0] as nn.Linear).parametrizations).toBeUndefined();
    expect(zerosIn(maskOf(model[1]!))).toBe(8);
    fold(model);
    pruning.steps = 1;
    expect(pruning.step()).toBe(true);
    model.dispose();
  });

  it.each(['adam', 'momentum'])('is a callback of fit, with %s', async (name) => {
    nn.manualSeed(2);
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 10, inputShape: [10], activation: 'relu' }),
        tf.layers.dense({ units: 1 }),
      ],
    });
    const optimizer = optimizers[name]!();
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const pruning = pruneGradually(model, { final: 0.9, end: 8, every: 2 });
    const [x, y] = [tf.randomNormal([16, 10], 0, 1, 'float32', 3), tf.ones([16, 1])];
    await model.fit(x, y, { epochs: 2, batchSize: 4, verbose: 0, callbacks: pruning });
    expect(pruning.steps).toBe(8);
    await model.fit(x, y, { epochs: 1, batchSize: 4, verbose: 0, callbacks: [pruning] });
    expect(pruning.steps).toBe(12);
    expect((await sparsityOf(model)).tensors.map(({ zeros }) => zeros)).toEqual([90, 9]);
    optimizer.dispose();
    (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
    tf.dispose([x, y]);
    model.dispose();
  });

  it.each([
    ['OPTION', { final: 2, end: 3 }],
    ['OPTION', { final: 0.5, end: 3, every: 0 }],
    ['OPTION', { final: 0.5, end: 3, norm: 1 }],
    ['OPTION', { final: 0.5, end: 3, global: 'yes' }],
    ['OPTION', { final: 0.5, end: 3, global: true, dim: 0 }],
    ['OPTION', { final: 0.5, end: 3, dim: 5 }],
    ['OPTION', { final: 0.5, end: 3, fraction: 0.5 }],
    ['SHAPE', { final: 0.5, end: 3, dim: 0, name: 'bias' }],
    ['UNMATCHED_RULE', { final: 0.5, end: 3, type: 'Conv9d' }],
  ] as const)('refuses with %s, and changes nothing: %j', (code, options) => {
    const layer = new nn.Linear(4, 3);
    expect(() => pruneGradually(layer, options as never)).toThrow(expect.objectContaining({ code }));
    expect(layer.parametrizations).toBeUndefined();
    layer.dispose();
  });
});
