import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defineParametrization,
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  symmetric,
  syncOptimizer,
  transferParametrizationsAndParams,
  WeightNorm,
  weightNorm,
} from '../../../../src/index.ts';
import { weightNorm as legacyWeightNorm } from '../../../../src/legacy/index.ts';
import { buffer, Linear, Module, parameter } from '../../../../src/nn/index.ts';
import { siteOf } from '../../../../src/parametrize/host/site.ts';
import { type Commit, transaction } from '../../../../src/parametrize/transaction.ts';
import type { Keep } from '../../../../src/parametrize/verbs/edit/keep.ts';
import {
  planInsertion,
  planReordering,
  planReplacement,
  planStepRemoval,
} from '../../../../src/parametrize/verbs/edit/planSteps.ts';
import { flatten } from '../../../toBeAllClose.ts';
import {
  AddOne,
  Affine,
  Double,
  inTidy,
  read,
  Scaled,
  SkewPart,
  SumOfThree,
  variableOf,
} from '../../fixtures.ts';
import { failure } from '../../unchanged.ts';

const site = (host: object, name = 'weight') => siteOf(host, name);
const run = (plan: () => Commit): void => tf.tidy(() => transaction(plan()));

const insert = (host: object, map: unknown, at: number): void =>
  run(() => planInsertion('insert', site(host), map, at));
const replace = (host: object, at: number, map: unknown, keep?: Keep): void =>
  run(() => planReplacement('replace', site(host), at, map, keep));
const reorder = (host: object, order: number[], keep?: Keep): void =>
  run(() => planReordering('reorder', site(host), order, keep));
const remove = (host: object, at: number, keep?: Keep): void =>
  run(() => planStepRemoval('remove', site(host), at, keep));

class Shifted extends Parametrization {
  shift: tf.Tensor = parameter(() => tf.fill([3, 3], 0.5));
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.add(x, this.shift);
  }
  override rightInverse(y: tf.Tensor): tf.Tensor {
    return tf.sub(y, this.shift);
  }
}

/** Keeps the value that it inverts in a buffer, and the difference as the original. */
class Anchored extends Parametrization {
  base: tf.Tensor = buffer(() => tf.zeros([3, 3]));
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.add(x, this.base);
  }
  override rightInverse(y: tf.Tensor): tf.Tensor {
    (this.base as tf.Variable).assign(y);
    return tf.zerosLike(y);
  }
}

/** Freezes its original, as an adapter does. */
class Adapted extends Shifted {}
defineParametrization<Adapted>({
  name: 'adapted',
  class: Adapted,
  options: {},
  originals: { original: { trainable: false } },
  make: () => new Adapted(),
});

const makers: Record<string, () => Parametrization> = {
  double: () => new Double(),
  addOne: () => new AddOne(),
  scaled: () => new Scaled(),
  shifted: () => new Shifted(),
};
const firstMakers: Record<string, () => Parametrization> = {
  ...makers,
  weightNorm: () => new WeightNorm({ dim: 0 }),
  sum: () => new SumOfThree(),
};
const make = (name: string): Parametrization => firstMakers[name]!();

/** Value and gradients, by state-dict key. */
function observe(host: Affine): { value: unknown; gradients: Record<string, unknown>; keys: string[] } {
  const list = parametrizationsOn(host, 'weight');
  return inTidy(() => {
    const weights = tf.reshape(tf.range(1, 10), [3, 3]);
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.mul(tf.square(host.weight), weights)) as tf.Scalar,
      list.parameters(),
    );
    const gradients = Object.fromEntries(
      list.namedParameters().map(([key, { name }]) => [key, grads[name]!.arraySync()]),
    );
    return { value: host.weight.arraySync(), gradients, keys: Object.keys(host.stateDict()) };
  });
}

/** Expects a host to be as if its chain had been registered so from the start. */
function expectAsRegistered(host: Affine, names: readonly string[]): void {
  const reference = new Affine();
  for (const name of names) registerParametrization(reference, 'weight', make(name));
  const state = host.stateDict();
  expect(Object.keys(reference.stateDict())).toEqual(Object.keys(state));
  reference.loadStateDict(state);
  const [got, wanted] = [observe(host), observe(reference)];
  expect(got.keys).toEqual(wanted.keys);
  expectClose(got.value, wanted.value);
  expect(Object.keys(got.gradients)).toEqual(Object.keys(wanted.gradients));
  for (const key of Object.keys(wanted.gradients)) expectClose(got.gradients[key], wanted.gradients[key]);
  const alias = (one: Affine) => ['g', 'v'].map((name) => name in parametrizationsOn(one, 'weight'));
  expect(alias(host)).toEqual(alias(reference));
  reference.dispose();
}

const expectClose = (got: unknown, wanted: unknown): void =>
  inTidy(() => void expect(tf.tensor(got as number[])).toBeAllClose(tf.tensor(wanted as number[])));

const chains = fc.tuple(
  fc.constantFrom(...Object.keys(firstMakers)),
  fc.array(fc.constantFrom(...Object.keys(makers)), { maxLength: 3 }),
);
const instructions = fc.array(
  fc.record({
    edit: fc.constantFrom('insert', 'replace', 'remove', 'reorder'),
    at: fc.nat(6),
    first: fc.constantFrom(...Object.keys(firstMakers)),
    later: fc.constantFrom(...Object.keys(makers)),
    keep: fc.constantFrom<Keep>('value', 'originals'),
  }),
  { minLength: 1, maxLength: 4 },
);

describe('an edit of a chain', () => {
  it('leaves value, gradients, keys and aliases of a chain that was registered so, and no tensor', () => {
    fc.assert(
      fc.property(chains, instructions, ([first, rest], edits) => {
        const tensors = tf.memory().numTensors;
        const host = new Affine();
        const names = [first, ...rest];
        const made: Parametrization[] = [];
        const mapOf = (name: string): Parametrization => {
          const map = make(name);
          made.push(map);
          return map;
        };
        for (const name of names) registerParametrization(host, 'weight', mapOf(name));
        const isSingle = () => names[0]! in makers;
        for (const { edit, at, first: wide, later, keep } of edits) {
          const before = read(host);
          let isKept = keep === 'value';
          if (edit === 'insert') {
            const index = at % (names.length + 1);
            if (index === 0 && !isSingle()) continue;
            const name = index === 0 ? wide : later;
            insert(host, mapOf(name), index);
            names.splice(index, 0, name);
            isKept = index === 0;
          } else if (edit === 'replace') {
            const index = at % names.length;
            if (keep === 'originals' && index === 0 && !isSingle()) continue;
            const name = index === 0 && keep === 'value' ? wide : later;
            replace(host, index, mapOf(name), keep);
            names.splice(index, 1, name);
          } else if (edit === 'remove') {
            const index = at % names.length;
            if (names.length === 1 || (index === 0 && keep === 'originals' && !isSingle())) continue;
            remove(host, index, keep);
            names.splice(index, 1);
          } else {
            if (!isSingle()) continue;
            const order = names.map((_, i) => (i + at) % names.length);
            reorder(host, order, keep);
            names.splice(0, names.length, ...order.map((i) => names[i]!));
          }
          if (isKept) expectClose(read(host), before);
          expectAsRegistered(host, names);
        }
        const value = read(host);
        removeParametrizations(host, 'weight');
        expectClose(read(host), value);
        host.dispose();
        for (const map of made) map.dispose();
        expect(tf.memory().numTensors).toBe(tensors);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the variable and the name of the host through every change of the originals', () => {
    const host = new Affine();
    const variable = variableOf(host);
    const { name } = variable;
    registerParametrization(host, 'weight', new Double());
    const list = parametrizationsOn(host, 'weight');
    insert(host, new WeightNorm({ dim: 0 }), 0);
    expect(list.original1).toBe(variable);
    expect(list.original0!.name).toBe(`${name}/original0`);
    replace(host, 0, new SumOfThree());
    expect(list['original2']).toBe(variable);
    remove(host, 0);
    expect(list.original).toBe(variable);
    expect(parametrizationsOn(host, 'weight')).toBe(list);
    removeParametrizations(host, 'weight');
    expect([variableOf(host), variable.name]).toEqual([variable, name]);
    host.dispose();
  });

  it('keeps the state of an optimizer with the variables that stay', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const variable = parametrizationsOn(host, 'weight').original!;
    const optimizer = tf.train.adam(0.1);
    const step = () =>
      optimizer.minimize(() => tf.sum(tf.square(host.weight)) as tf.Scalar, false, host.parameters());
    const momentOf = (parameter: tf.Variable): tf.Variable | undefined =>
      (optimizer as unknown as { accumulatedFirstMoment: { variable: tf.Variable }[] })
        .accumulatedFirstMoment[host.parameters().indexOf(parameter)]?.variable;
    step();
    const moment = momentOf(variable)!;
    expect(flatten(moment)).not.toContain(0);
    insert(host, new AddOne(), 1);
    expect(momentOf(variable)).toBe(moment);
    step();
    insert(host, new WeightNorm({ dim: 0 }), 0);
    syncOptimizer(optimizer, host.parameters());
    expect(parametrizationsOn(host, 'weight').original1).toBe(variable);
    expect(momentOf(variable)).toBe(moment);
    const values = flatten(moment);
    step();
    expect(momentOf(variable)).toBe(moment);
    expect(flatten(moment)).not.toEqual(values);
    optimizer.dispose();
    host.dispose();
  });

  it('freezes the base as the first step decides, and keeps a flag that was set meanwhile', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const list = parametrizationsOn(host, 'weight');
    const map = new Adapted();
    insert(host, map, 0);
    expect(list.original!.trainable).toBe(false);
    remove(host, 0);
    map.dispose();
    expect(list.original!.trainable).toBe(true);
    list.original!.trainable = false;
    insert(host, new Adapted(), 0);
    insert(host, new WeightNorm({ dim: 0 }), 0);
    expect([list.original0!, list.original1!].map(({ trainable }) => trainable)).toEqual([false, false]);
    remove(host, 0);
    expect(list.original!.trainable).toBe(false);
    host.dispose();
  });

  it('gives a tensor that shares its originals its own, and leaves the other as it is', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(from, 'weight', new Double());
    registerParametrization(from, 'weight', new AddOne());
    transferParametrizationsAndParams(from, to, 'weight');
    const before = read(from);
    remove(to, 1);
    expectClose(read(to), before);
    expectClose(read(from), before);
    expect(parametrizationsOn(to, 'weight').original).not.toBe(parametrizationsOn(from, 'weight').original);
    from.dispose();
    to.dispose();
  });

  it('keeps nested chains where the first step stays, and writes through them', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    registerParametrization(host, 'weight', new AddOne());
    const list = parametrizationsOn(host, 'weight');
    registerParametrization(list, 'original', new Double());
    const before = read(host);
    remove(host, 1);
    expectClose(read(host), before);
    expect(list.parameters()).toHaveLength(1);
    for (const edit of [() => replace(host, 0, new AddOne()), () => insert(host, new SumOfThree(), 0)]) {
      expect(failure(edit, host, list)).toMatch('UNSUPPORTED_HOST: ');
    }
    host.dispose();
  });

  it('keeps what a right inverse writes, unless the plan fails or is not run', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const before = read(host);
    const map = new Anchored();
    tf.tidy(() => void planInsertion('insert', site(host), map, 0));
    expect(read(map, 'base')).toEqual([0, 0, 0].map(() => [0, 0, 0]));
    insert(host, map, 0);
    expectClose(read(host), before);
    expect(read(map, 'base')).not.toEqual([0, 0, 0].map(() => [0, 0, 0]));
    host.dispose();
  });

  it('keeps what the right inverse of a nested chain writes, likewise', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    registerParametrization(host, 'weight', new AddOne());
    const map = new Anchored();
    registerParametrization(parametrizationsOn(host, 'weight'), 'original', map);
    const [before, base] = [read(host), read(map, 'base')];
    tf.tidy(() => void planStepRemoval('remove', site(host), 1));
    expect(read(map, 'base')).toEqual(base);
    remove(host, 1);
    expectClose(read(host), before);
    expect(read(map, 'base')).not.toEqual(base);
    host.dispose();
  });

  it('disposes a map that belongs to the chain, and leaves others to their owner', () => {
    const layer = new Linear(3, 3);
    symmetric(layer);
    const owned = parametrizationsOn(layer, 'weight')[0] as Parametrization;
    const map = new Scaled();
    registerParametrization(layer, 'weight', map);
    remove(layer, 1);
    expect((map.scale as tf.Variable).isDisposed).toBe(false);
    replace(layer, 0, new Double());
    expect(() => registerParametrization(layer, 'weight', owned)).toThrow('disposed');
    map.dispose();
    layer.dispose();
  });
});

describe('a plan refuses, and has changed nothing', () => {
  const chainOf = (...maps: unknown[]): Affine => {
    const host = new Affine();
    for (const map of maps) registerParametrization(host, 'weight', map as Parametrization);
    return host;
  };
  const throwing = {
    forward: (x: tf.Tensor) => tf.neg(x),
    rightInverse: () => {
      throw new Error('no inverse');
    },
  };

  it.each<[string, () => Affine, (host: Affine) => void]>([
    ['an index that does not exist', () => chainOf(new Double()), (host) => insert(host, new Double(), 2)],
    ['an index that is no number', () => chainOf(new Double()), (host) => remove(host, '0' as never)],
    [
      'a removal behind a map without a right inverse',
      () => chainOf(new SkewPart(), new Double()),
      (host) => remove(host, 1),
    ],
    ['a right inverse that throws', () => chainOf(new Double()), (host) => insert(host, throwing, 0)],
    [
      'a map in front of several originals',
      () => chainOf(new SumOfThree()),
      (host) => insert(host, new Double(), 0),
    ],
    ['several originals for one', () => chainOf(new Double()), (host) => insert(host, new WeightNorm(), 1)],
    [
      'originals that only the removed map takes',
      () => chainOf(new SumOfThree(), new Double()),
      (host) => remove(host, 0, 'originals'),
    ],
    [
      'an order with an index twice',
      () => chainOf(new Double(), new AddOne()),
      (host) => reorder(host, [0, 0]),
    ],
    [
      'an order that puts several originals behind',
      () => chainOf(new SumOfThree(), new AddOne()),
      (host) => reorder(host, [1, 0]),
    ],
    ['another shape', () => chainOf(new Double()), (host) => insert(host, (x: tf.Tensor) => tf.sum(x, 0), 1)],
    [
      'another shape at the start',
      () => chainOf(new Double()),
      (host) => insert(host, (x: tf.Tensor) => tf.sum(x, 0), 0),
    ],
    ['a forward without a tensor', () => chainOf(new Double()), (host) => replace(host, 0, () => 3)],
  ])('%s', (_, make, edit) => {
    const host = make();
    expect(failure(() => edit(host), host, parametrizationsOn(host, 'weight'))).toMatchSnapshot();
    host.dispose();
  });

  it('a chain of the hook API', () => {
    const layer = new Linear(3, 3);
    legacyWeightNorm(layer);
    expect(failure(() => insert(layer, new Double(), 1), layer)).toMatchInlineSnapshot(
      `"ALREADY_PARAMETRIZED: insert: Linear.weight is normalized by the hook API, which nothing can follow. Register the function of the same name of 'tfjs-parametrize' instead."`,
    );
    expect(failure(() => remove(layer, 0, 'originals'), layer)).toMatchInlineSnapshot(
      `"OPTION: remove: Linear.weight has 2 originals, which only WeightNorm can take. Drop keep: 'originals'."`,
    );
    layer.dispose();
  });
});

describe('a failed transaction of edits', () => {
  class Net extends Module {
    a = new Linear(3, 3);
    b = new Linear(3, 3);
    forward(): void {}
  }

  it('restores objects, names, the order of keys, values and tensors, over several tensors', () => {
    const net = new Net();
    weightNorm(net.a);
    registerParametrization(net.a, 'weight', new Scaled());
    symmetric(net.b);
    registerParametrization(net.b, 'weight', new Double());
    const lists = [net.a, net.b].map((layer) => parametrizationsOn(layer, 'weight'));
    const values = [read(net.a), read(net.b)];
    const work = (): void => {
      replace(net.a, 0, new SumOfThree());
      remove(net.a, 0);
      insert(net.a, new AddOne(), 1);
      insert(net.b, new WeightNorm({ dim: 0 }), 0);
      remove(net.b, 1);
      reorder(net.b, [0, 1]);
      remove(net.b, 1);
      remove(net.b, 0);
    };
    const objects = [net, net.a, net.b, ...lists];
    expect(
      failure(
        () =>
          transaction(() => {
            work();
            throw new Error('later');
          }),
        ...objects,
      ),
    ).toBe('Error: later');
    expect(lists[0]!.original0).toBe((lists[0] as unknown as { g: unknown }).g);
    expectClose(read(net.a), values[0]);
    expectClose(read(net.b), values[1]);
    transaction(work);
    expect(Object.keys(net.stateDict())).toEqual([
      'a.bias',
      'a.parametrizations.weight.original',
      'a.parametrizations.weight.0.scale',
      'a.parametrizations.weight.0.count',
      'b.weight',
      'b.bias',
    ]);
    net.dispose();
  });
});
