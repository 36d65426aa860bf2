import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clipGradients,
  fold,
  type Group,
  groupOptimizer,
  minimize,
  nn,
  parametrizationsOn,
  removeParametrizations,
  syncOptimizer,
  weightNorm,
} from '../../../src/index.ts';
import { syncModel } from '../../../src/layers/index.ts';
import { disposeOptimizer, optimizers } from '../../parametrize/laws/specimens.ts';
import { failure } from '../../parametrize/unchanged.ts';
import { flatten } from '../../toBeAllClose.ts';

const make = (): nn.Sequential => {
  nn.manualSeed(4);
  return new nn.Sequential(weightNorm(new nn.Linear(2, 3)), new nn.Linear(3, 2));
};
const lossOf = (model: nn.Sequential) => (): tf.Scalar =>
  tf.sum(tf.square(tf.add(model.call(tf.fill([2, 2], 0.5)), 1))) as tf.Scalar;
const numbers = (model: nn.Module): number[][] => model.parameters().map((variable) => flatten(variable));
const disposeC = (optimizer: tf.Optimizer): void => (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();

describe('groupOptimizer', () => {
  it('makes the steps of its optimizers apart, with decoupled decay, for every optimizer and way to step', () => {
    const names = fc.constantFrom(...Object.keys(optimizers));
    const programs = fc.record({
      first: names,
      second: names,
      decay: fc.constantFrom(0, 0.1),
      way: fc.constantFrom('list', 'no list', 'minimize'),
    });
    fc.assert(
      fc.property(programs, ({ first, second, decay, way }) => {
        const [model, twin] = [make(), make()];
        const [a, b, one, two] = [first, second, first, second].map((name) => optimizers[name]!());
        const optimizer = groupOptimizer(model, [
          { match: '0', optimizer: a!, weightDecay: decay },
          { optimizer: b! },
        ]);
        const rate = (a as unknown as { learningRate: number }).learningRate;
        for (let i = 0; i < 3; i++) {
          if (way === 'minimize') minimize(optimizer, lossOf(model), model);
          else optimizer.minimize(lossOf(model), false, way === 'list' ? model.parameters() : undefined);
          tf.tidy(() => {
            const { grads } = tf.variableGrads(lossOf(twin), twin.parameters());
            const [front, back] = twin.children().map((child) => child.parameters());
            for (const variable of front!) variable.assign(tf.mul(variable as tf.Tensor, 1 - rate * decay));
            const of = (own: tf.Variable[]) => own.map(({ name }) => ({ name, tensor: grads[name]! }));
            one!.applyGradients(of(front!));
            two!.applyGradients(of(back!));
          });
        }
        numbers(model).forEach((values, i) => {
          expect(values).toBeAllClose(numbers(twin)[i]!, { relative: 1e-4, absolute: 1e-5 });
        });
        optimizer.dispose();
        for (const plain of [a!, b!]) disposeC(plain);
        for (const plain of [one!, two!]) disposeOptimizer(plain);
        model.dispose();
        twin.dispose();
      }),
      { numRuns: 25 },
    );
  });

  it('gives a parameter to the first group that matches, and prints the groups', () => {
    const model = make();
    const [adam, sgd] = [tf.train.adam(0.01), tf.train.sgd(0.5)];
    const optimizer = groupOptimizer(model, [
      { name: 'bias', optimizer: sgd },
      { name: 'weight', original: 'g', optimizer: adam, weightDecay: 0.25 },
      { match: '1', optimizer: null },
      { optimizer: adam },
    ]);
    expect(optimizer.groups.map(({ keys }) => keys)).toEqual([
      ['0.bias', '1.bias'],
      ['0.parametrizations.weight.original0'],
      ['1.weight'],
      ['0.parametrizations.weight.original1'],
    ]);
    expect(
      String(optimizer)
        .split('\n')
        .map((line) => line.trim().split(/\s{2,}/)),
    ).toEqual(
      expect.arrayContaining([
        ['0', '2', '5', 'SGD', '0.5', '0'],
        ['1', '1', '3', 'Adam', '0.01', '0.25'],
        ['2', '1', '6', 'none'],
      ]),
    );
    const before = numbers(model);
    minimize(optimizer, lossOf(model), model);
    const changed = numbers(model).map((values, i) => String(values) !== String(before[i]));
    expect(model.namedParameters().flatMap(([key], i) => (changed[i] ? [] : [key]))).toEqual(['1.weight']);
    optimizer.dispose();
    model.dispose();
  });

  it('keeps the moments of what stays through registrations, removals and folds, with minimize', () => {
    const model = make();
    const twin = make();
    const momentums = [tf.train.momentum(0.05, 0.9), tf.train.momentum(0.05, 0.9)];
    // The weight of the second layer keeps its value: both models stay equal if nothing else loses its moments.
    const groups = (momentum: tf.Optimizer): Group[] => [
      { match: ['0', '1.bias'], optimizer: momentum },
      { optimizer: tf.train.adam(0) },
    ];
    const optimizer = groupOptimizer(model, groups(momentums[0]!));
    const whole = groupOptimizer(twin, groups(momentums[1]!));
    const step = (): void => {
      minimize(optimizer, lossOf(model), model);
      minimize(whole, lossOf(twin), twin);
    };
    const expectEqual = (pick: (of: nn.Sequential) => readonly tf.Tensor[]): void => {
      const wanted = pick(twin);
      for (const [i, value] of pick(model).entries()) {
        expect(value).toBeAllClose(wanted[i]!, { relative: 1e-4, absolute: 1e-5 });
      }
    };
    const trained = (of: nn.Sequential): tf.Tensor[] => [
      ...of.children()[0]!.parameters(),
      (of.children()[1] as nn.Linear).bias!,
    ];
    const [start] = numbers(model);
    step();
    weightNorm(model.children()[1]!);
    step();
    expectEqual(trained);
    removeParametrizations(model.children()[1]!, 'weight');
    step();
    expectEqual(trained);
    expect(numbers(model)[0]).not.toEqual(start);
    fold(model);
    step();
    expect(optimizer.groups[0]!.keys).toEqual(['0.weight', '0.bias', '1.bias']);
    expectEqual((of) => of.children().map((child) => (child as nn.Linear).bias!));
    for (const each of [optimizer, whole]) each.dispose();
    for (const momentum of momentums) disposeC(momentum);
    model.dispose();
    twin.dispose();
  });

  it('refuses a step after changes, before the loss runs, until sync, syncOptimizer or syncModel', () => {
    const model = make();
    const optimizer = groupOptimizer(model, [
      { match: '0', optimizer: tf.train.adam(0.1) },
      { optimizer: tf.train.adam(0.1) },
    ]);
    minimize(optimizer, lossOf(model), model);
    weightNorm(model.children()[1]!);
    const before = numbers(model);
    const { numTensors } = tf.memory();
    for (const variables of [model.parameters(), undefined]) {
      expect(failure(() => optimizer.minimize(lossOf(model), false, variables))).toMatch(
        /^NOT_SYNCED.*sync\(\)/,
      );
    }
    expect(numbers(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
    optimizer.sync();
    optimizer.minimize(lossOf(model));
    removeParametrizations(model.children()[1]!, 'weight');
    expect(failure(() => optimizer.minimize(lossOf(model)))).toMatch(/^NOT_SYNCED.*disposed/);
    syncOptimizer(optimizer, model.parameters());
    optimizer.minimize(lossOf(model), false, model.parameters());
    optimizer.dispose();
    model.dispose();
  });

  it('makes no step of any group if the optimizer of one refuses it', async () => {
    const model = make();
    const [first, second] = [tf.train.adam(0.1), tf.train.adam(0.1)];
    const optimizer = groupOptimizer(model, [{ match: '1', optimizer: first }, { optimizer: second }]);
    minimize(optimizer, lossOf(model), model);
    const weights = await second.getWeights();
    // State of one variable for a group of three.
    const copies = [weights[0]!, weights[1]!, weights[4]!].map(({ name, tensor }) => ({
      name,
      tensor: tf.clone(tensor),
    }));
    const slots = weights.slice(1).map(({ tensor }) => tensor);
    await second.setWeights(copies);
    const before = numbers(model);
    const gradients = model.parameters().map(({ name, shape }) => ({ name, tensor: tf.ones(shape) }));
    expect(failure(() => optimizer.applyGradients(gradients))).toMatch(/^NOT_SYNCED/);
    expect(numbers(model)).toEqual(before);
    tf.dispose([
      gradients.map(({ tensor }) => tensor),
      copies.map(({ tensor }) => tensor),
      weights[0]!.tensor,
      slots,
    ]);
    optimizer.dispose();
    model.dispose();
  });

  it('decays g alone as the weight, and clips over one group or all', () => {
    const layer = weightNorm(new nn.Linear(2, 2));
    const optimizer = groupOptimizer(layer, [
      { original: 'g', optimizer: tf.train.sgd(0.5), weightDecay: 0.2 },
      { optimizer: tf.train.sgd(0.5) },
    ]);
    const before = tf.tidy(() => flatten(layer.weight));
    optimizer.minimize(() => tf.mul(0, tf.sum(layer.weight)) as tf.Scalar, false, layer.parameters());
    expect(tf.tidy(() => flatten(layer.weight))).toBeAllClose(before.map((x) => 0.9 * x));
    const { g } = parametrizationsOn(layer, 'weight');
    const clipped = clipGradients(
      groupOptimizer(layer, [{ optimizer: clipGradients(tf.train.sgd(1), { value: 1 }) }]),
      {
        norm: 1e-3,
      },
    );
    const was = flatten(g!);
    clipped.minimize(() => tf.mul(100, tf.sum(layer.weight)) as tf.Scalar, false, layer.parameters());
    expect(Math.hypot(...flatten(g!).map((x, i) => x - was[i]!))).toBeLessThan(1.1e-3);
    clipped.dispose();
    optimizer.dispose();
    layer.dispose();
  });

  it('trains in compile and fit, also after changes with syncModel, and its state is saved and restored', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 2, inputShape: [3], name: 'a' }),
        tf.layers.batchNormalization({ name: 'n' }),
        tf.layers.dense({ units: 1, name: 'b' }),
      ],
    });
    const groups = (): Group[] => [
      { match: 'a', optimizer: null },
      { type: 'Dense', optimizer: tf.train.adam(0.1), weightDecay: 0.01 },
      { optimizer: tf.train.sgd(0.1) },
    ];
    const optimizer = groupOptimizer(model, groups());
    expect(optimizer.groups.map(({ keys }) => keys)).toEqual([
      ['a.kernel', 'a.bias'],
      ['b.kernel', 'b.bias'],
      ['n.gamma', 'n.beta'],
    ]);
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const [x, y] = [tf.randomNormal([8, 3]), tf.ones([8, 1])];
    const values = (name: string): number[][] =>
      model
        .getLayer(name)
        .getWeights()
        .map((weight) => flatten(weight));
    const before = ['a', 'n', 'b'].map(values);
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    expect(values('a')).toEqual(before[0]);
    expect(values('n')).not.toEqual(before[1]);
    expect(values('b')).not.toEqual(before[2]);
    weightNorm(model.getLayer('b') as never, 'kernel');
    await expect(model.fit(x, y, { verbose: 0 })).rejects.toThrow('syncModel');
    syncModel(model);
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    const saved = await optimizer.getWeights();
    const other = groupOptimizer(model, groups());
    const copies = saved.map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) }));
    await other.setWeights(copies);
    const again = await other.getWeights();
    expect(again.map(({ name }) => name)).toEqual(saved.map(({ name }) => name));
    saved.forEach(({ tensor }, i) => {
      expect(again[i]!.tensor).toBeAllClose(tensor);
    });
    await expect(other.setWeights(saved.slice(0, 2))).rejects.toMatchObject({ code: 'OPTION' });
    other.sync();
    model.compile({ optimizer: other, loss: 'meanSquaredError' });
    await model.fit(x, y, { verbose: 0 });
    expect(failure(() => optimizer.getConfig())).toMatch(/^UNSUPPORTED/);
    const iterations = (list: typeof saved) => list.filter(({ name }) => name.endsWith('/iter'));
    tf.dispose([saved, again].flatMap(iterations).map(({ tensor }) => tensor));
    tf.dispose(copies.map(({ tensor }) => tensor));
    optimizer.dispose();
    other.dispose();
    model.dispose();
    tf.dispose([x, y]);
  });

  it('refuses parameters without a group, conditions that match nothing, and wrong groups', () => {
    const model = make();
    const sgd = tf.train.sgd(0.1);
    const code = (groups: unknown): string =>
      failure(() => groupOptimizer(model, groups as Group[])).split(':')[0]!;
    expect(failure(() => groupOptimizer(model, [{ match: '0', optimizer: sgd }]))).toMatch(
      /^UNGROUPED.*2 parameters in no group: '1.weight', '1.bias'/,
    );
    expect(code([{ match: 'head', optimizer: sgd }, { optimizer: sgd }])).toBe('UNMATCHED_RULE');
    expect(code([{ original: 'h', optimizer: sgd }, { optimizer: sgd }])).toBe('UNMATCHED_RULE');
    for (const groups of [
      [],
      null,
      [{ optimizer: undefined }],
      [{ optimizer: {} }],
      [{ optimizer: sgd, decay: 1 }],
      [{ optimizer: sgd, weightDecay: -1 }],
      [{ optimizer: null, weightDecay: 1 }],
      [{ optimizer: groupOptimizer(model, [{ optimizer: sgd }]) }],
    ]) {
      expect(code(groups)).toBe('OPTION');
    }
    sgd.dispose();
    model.dispose();
  });
});
