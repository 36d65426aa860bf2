import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, it, describe as suite, vi } from 'vitest';
import {
  applyRecipe,
  clone,
  copyInto,
  describe,
  fold,
  freeze,
  groupOptimizer,
  parametrize,
  recipeOf,
  squaredNorms,
  syncOptimizer,
  without,
} from '../../src/model/index.ts';
import { Linear, type Module, ParameterList, parameter, Sequential } from '../../src/nn/index.ts';
import { spectralNorm, weightNorm } from '../../src/parametrizations/index.ts';
import { cached, parametrizationsOn, removeParametrizations } from '../../src/parametrize/index.ts';
import { registerRecipes } from '../../src/stateDict/registerRecipes.ts';
import { tensorRecipes } from '../../src/stateDict/tensorRecipes.ts';

/**
 * How much a program does that grows with the number of things it works on: fields that it looks through, items of
 * lists that it searches, tensors that it makes. Counted, so that it is the same on every machine.
 */
function workOf(fn: () => void): number {
  let work = 0;
  const count = (owner: object, name: string, workOfCall: (self: unknown, result: unknown) => number) => {
    const real = (owner as Record<string, (...args: unknown[]) => unknown>)[name]!;
    vi.spyOn(owner as Record<string, () => unknown>, name).mockImplementation(function (
      this: unknown,
      ...args: unknown[]
    ) {
      const result = real.apply(this, args);
      work += workOfCall(this, result);
      return result;
    });
  };
  const lengthOf = (list: unknown) => (list as unknown[]).length;
  for (const name of ['entries', 'keys', 'getOwnPropertyNames'])
    count(Object, name, (_, found) => lengthOf(found));
  count(Reflect, 'ownKeys', (_, found) => lengthOf(found));
  for (const name of ['includes', 'indexOf', 'find', 'findIndex', 'some'])
    count(Array.prototype, name, lengthOf);
  count(tf.engine(), 'trackTensor', () => 1);
  try {
    fn();
  } finally {
    vi.restoreAllMocks();
  }
  return work;
}

/** So many layers, normalized or not. */
const layers = (count: number, normalize: boolean | typeof spectralNorm = true): Linear[] =>
  Array.from({ length: count }, () => {
    const layer = new Linear(2, 2);
    if (typeof normalize === 'function') return normalize(layer);
    return normalize ? weightNorm(layer) : layer;
  });

/** The work for a model of so many layers, without that of making and disposing it. */
type Work = (count: number) => number;

const onModel =
  (work: (model: Sequential) => void, isNormalized: boolean | typeof spectralNorm = true): Work =>
  (count) => {
    const model = new Sequential(...layers(count, isNormalized));
    const counted = workOf(() => work(model));
    model.dispose();
    return counted;
  };

/** One module with so many parametrized tensors. */
const onTensors =
  (work: (host: Module, names: readonly string[]) => void): Work =>
  (count) => {
    const names = Array.from({ length: count }, (_, i) => String(i));
    const host = new ParameterList(names.map(() => parameter(tf.ones([2, 2]))));
    // What removal disposes then, a dictionary and the vectors of each, is counted too.
    for (const name of names) {
      if (name === '0') weightNorm(host, name);
      else spectralNorm(host, name);
    }
    const counted = workOf(() => work(host, names));
    host.dispose();
    return counted;
  };

const works: Readonly<Record<string, Work>> = {
  'making a Sequential': (count) => {
    const parts = layers(count, false);
    const counted = workOf(() => void new Sequential(...parts));
    for (const part of parts) part.dispose();
    return counted;
  },
  registering: onModel((model) => {
    for (const layer of model) weightNorm(layer as Linear);
  }, false),
  'reading in a tidy': onModel((model) =>
    tf.tidy(() => {
      for (const layer of model) void (layer as Linear).weight;
    }),
  ),
  'reading in cached': onModel((model) =>
    cached(() => {
      for (let i = 0; i < 3; i++) for (const layer of model) void (layer as Linear).weight;
    }),
  ),
  'a forward pass': onModel((model) => tf.tidy(() => void model.call(tf.ones([1, 2])))),
  describing: onModel((model) => void String(describe(model, { unparametrized: true }))),
  'the state dict': onModel((model) => void model.loadStateDict(model.stateDict())),
  cloning: onModel((model) => clone(model).dispose()),
  folding: onModel((model) => void fold(model)),
  'folding the tensors of one module': onTensors((host) => void fold(host)),
  removing: onModel((model) => {
    for (const layer of model) removeParametrizations(layer as Linear, 'weight');
  }),
  'removing from one module, one tensor after the other': onTensors((host, names) => {
    for (const name of names) removeParametrizations(host, name);
  }),
  'describing a model as data, and registering from it': (count) => {
    const model = new Sequential(...layers(count));
    const plain = new Sequential(...layers(count, false));
    const counted = workOf(() => void registerRecipes(plain, tensorRecipes(model), { weightNorm }));
    model.dispose();
    plain.dispose();
    return counted;
  },
  'writing a recipe, planning and applying it, and applying it again': (count) => {
    const model = new Sequential(...layers(count));
    const plain = new Sequential(...layers(count, false));
    const counted = workOf(() => {
      const text = JSON.stringify(recipeOf(model));
      const { recipe } = applyRecipe(plain, text, { catalog: { weightNorm }, dryRun: true });
      for (let i = 0; i < 2; i++) applyRecipe(plain, recipe, { catalog: { weightNorm } });
    });
    model.dispose();
    plain.dispose();
    return counted;
  },
  'registering by rules, and again': onModel((model) => {
    for (let i = 0; i < 2; i++) {
      parametrize(model, [
        { match: '0', apply: null },
        { type: Linear, exclude: ['1', /^2$/], apply: weightNorm },
      ]);
    }
  }, false),
  undoing: (count) => {
    const model = new Sequential(...layers(count, false));
    const report = parametrize(model, [{ type: Linear, apply: weightNorm }]);
    const counted = workOf(() => report.undo());
    model.dispose();
    return counted;
  },
  freezing: onModel((model) => freeze(model, { name: 'weight', original: 'v' }).unfreeze()),
  'skipping steps': onModel(
    (model) =>
      without(model.eval(), { step: 'spectralNorm' }, () => tf.tidy(() => void model.call(tf.ones([1, 2])))),
    spectralNorm,
  ),
  'averaging into a copy': (count) => {
    const [model, source] = [new Sequential(...layers(count)), new Sequential(...layers(count))];
    const counted = workOf(() => copyInto(model, source, { decay: 0.5 }));
    model.dispose();
    source.dispose();
    return counted;
  },
  'averaging values into a plain model': (count) => {
    const [model, source] = [new Sequential(...layers(count, false)), new Sequential(...layers(count))];
    const counted = workOf(() => copyInto(model, source, { folded: true }));
    model.dispose();
    source.dispose();
    return counted;
  },
  'the sum of squares': onModel((model) => squaredNorms(model).dispose()),
  'an optimizer of groups, its step, and moving its state': onModel((model) => {
    const optimizer = groupOptimizer(model, [
      { name: 'weight', optimizer: tf.train.sgd(0.1) },
      { optimizer: tf.train.adam(0.1) },
    ]);
    const x = tf.ones([1, 2]);
    optimizer.minimize(() => tf.sum(model.call(x)) as tf.Scalar);
    fold(model);
    optimizer.sync();
    optimizer.dispose();
    x.dispose();
  }),
  'a step of an optimizer, and moving its state': onModel((model) => {
    const adam = tf.train.adam(0.01);
    const x = tf.ones([1, 2]);
    adam.minimize(() => tf.sum(model.call(x)) as tf.Scalar, false, model.parameters());
    fold(model);
    syncOptimizer(adam, model.parameters());
    adam.dispose();
    x.dispose();
  }),
};

suite('the cost of a model', () => {
  afterEach(() => void vi.restoreAllMocks());

  for (const [name, work] of Object.entries(works)) {
    it(`grows in proportion to its layers: ${name}`, () => {
      // What is made on first use is not counted.
      work(4);
      const [few, some, many] = [work(20), work(40), work(60)];
      expect(few).toBeGreaterThan(0);
      expect(many! - some!).toBe(some! - few!);
    });
  }

  it('is one evaluation of each chain in cached, however often it is read', () => {
    const parts = layers(30);
    const evaluations = () =>
      parts.reduce((sum, part) => sum + parametrizationsOn(part, 'weight').evaluations, 0);
    const before = evaluations();
    cached(() => {
      for (let i = 0; i < 3; i++) for (const { weight } of parts) void weight;
    });
    expect(evaluations() - before).toBe(30);
    for (const part of parts) part.dispose();
  });
});
