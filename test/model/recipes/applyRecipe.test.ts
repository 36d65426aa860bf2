import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  applyRecipe,
  catalog,
  fold,
  type Lora,
  lora,
  nn,
  orthogonal,
  Parametrization,
  parametrizationsOn,
  parametrize,
  type Recipe,
  recipeOf,
  registerParametrization,
  removeParametrizations,
  spectralNorm,
  symmetric,
  unitNorm,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { catalogNames } from '../../parametrizations/catalogCases.ts';
import { failure } from '../../parametrize/unchanged.ts';

const ones = (shape: number[]): tf.Variable => tf.tidy(() => tf.variable(tf.ones(shape)));

const plain = (): nn.Sequential => new nn.Sequential(new nn.Linear(3, 3), new nn.Tanh(), new nn.Linear(3, 3));

const recipe = (...parametrizations: Recipe['parametrizations']): Recipe => ({
  version: 1,
  parametrizations,
});

const weightNormOn = (path: string, options: object = { dim: 0 }): Recipe['parametrizations'][number] => ({
  path,
  tensor: 'weight',
  steps: [{ kind: 'weightNorm', options: { ...options } }],
});

/** Registers by name, so that a chain is data. */
const registrations: Readonly<Record<string, (layer: nn.Linear) => unknown>> = {
  weightNorm: (layer) => weightNorm(layer),
  columns: (layer) => weightNorm(layer, { dim: 1, eps: 1e-6 }),
  spectralNorm: (layer) => spectralNorm(layer, { nPowerIterations: 2 }),
  orthogonal: (layer) => orthogonal(layer, { orthogonalMap: 'cayley' }),
  symmetric: (layer) => symmetric(layer),
  unitNorm: (layer) => unitNorm(layer),
  nested: (layer) => {
    weightNorm(layer);
    unitNorm(parametrizationsOn(layer, 'weight'), 'original1');
  },
};

describe('recipeOf and applyRecipe', () => {
  it('make the same keys and values of a model of the same form and the state dict', () => {
    const chain = fc.constantFrom(...Object.keys(registrations));
    fc.assert(
      fc.property(chain, chain, fc.boolean(), (first, last, isText) => {
        const [model, other] = [plain(), plain()];
        registrations[first]!(model[0] as nn.Linear);
        registrations[last]!(model[2] as nn.Linear);
        const made = recipeOf(model);
        const report = applyRecipe(other, isText ? JSON.stringify(made) : made, { catalog });
        expect(report.registered.length).toBe(made.parametrizations.length);
        expect(Object.keys(other.stateDict())).toEqual(Object.keys(model.stateDict()));
        expect(recipeOf(other)).toEqual(made);
        other.loadStateDict(model.stateDict());
        for (const i of [0, 2] as const) {
          tf.tidy(() => {
            expect((other[i] as nn.Linear).weight).toBeAllClose((model[i] as nn.Linear).weight);
          });
        }
        expect(applyRecipe(other, made, { catalog }).registered).toEqual([]);
        model.dispose();
        other.dispose();
      }),
      { numRuns: 12 },
    );
  });

  it('work on models of tf.layers, also compiled', () => {
    const build = (): tf.Sequential => {
      const model = tf.sequential();
      model.add(tf.layers.dense({ units: 3, inputShape: [2], name: 'first' }));
      model.add(tf.layers.dense({ units: 2, name: 'last' }));
      return model;
    };
    const [model, other] = [build(), build()];
    other.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    parametrize(model, [{ type: 'Dense', apply: weightNorm }]);
    const text = JSON.stringify(recipeOf(model));
    expect(
      applyRecipe(other, text, { catalog }).registered.map(({ path, tensor }) => [path, tensor]),
    ).toEqual([
      ['first', 'kernel'],
      ['last', 'kernel'],
    ]);
    expect(applyRecipe(other, text, { catalog }).unchanged).toHaveLength(2);
    other.setWeights(model.getWeights());
    for (const name of ['first', 'last']) {
      tf.tidy(() => {
        expect(valueOf(other.getLayer(name), 'kernel')).toBeAllClose(valueOf(model.getLayer(name), 'kernel'));
      });
    }
    for (const one of [model, other]) {
      fold(one);
      one.dispose();
    }
    other.optimizer?.dispose();
  });

  it('take objects that hold variables', () => {
    const model = { weight: ones([2, 2]) };
    const other = { weight: ones([2, 2]) };
    weightNorm(model);
    applyRecipe(other, recipeOf(model), { catalog });
    expect(recipeOf(other)).toEqual(recipeOf(model));
    for (const one of [model, other]) {
      fold(one);
      one.weight.dispose();
    }
  });

  it('write a shared module once, and find it by each of its paths', () => {
    const shared = new nn.Linear(2, 2);
    const model = new nn.Sequential(shared, shared);
    const report = applyRecipe(model, recipe(weightNormOn('1'), weightNormOn('0')), { catalog });
    expect(report.registered.map(({ path, paths }) => [path, paths])).toEqual([['1', ['0', '1']]]);
    expect(report.unchanged.map(({ path, rule }) => [path, rule])).toEqual([['0', 1]]);
    expect(recipeOf(model).parametrizations.map(({ path }) => path)).toEqual(['0']);
    model.dispose();
  });

  it('know functions that a rule has registered, by their names and options', () => {
    const twice = (host: nn.Linear, name: 'weight', { scale = 1 }: { scale?: number } = {}): nn.Linear => {
      registerParametrization(host, name, (x: tf.Tensor) => tf.mul(x, scale));
      return registerParametrization(host, name, (x: tf.Tensor) => tf.neg(x));
    };
    const [model, other] = [plain(), plain()];
    parametrize(model, [{ match: '0', apply: twice, options: { scale: 3 } }]);
    const made = recipeOf(model);
    expect(made).toEqual(
      recipe({ path: '0', tensor: 'weight', steps: [{ kind: 'twice', options: { scale: 3 } }] }),
    );
    applyRecipe(other, JSON.stringify(made), { catalog: { twice } });
    expect(parametrizationsOn(other[0]!, 'weight')).toHaveLength(2);
    expect(applyRecipe(other, made, { catalog: { twice } }).unchanged).toHaveLength(1);
    model.dispose();
    other.dispose();
  });

  it('plan without changes, with tensors that the plan will make', () => {
    const [model, other] = [plain(), plain()];
    registrations['nested']!(model[0] as nn.Linear);
    const keys = Object.keys(other.stateDict());
    const plan = applyRecipe(other, recipeOf(model), { catalog, dryRun: true });
    expect(plan.isDryRun).toBe(true);
    expect(plan.registered.map(({ path, kind }) => [path, kind])).toEqual([
      ['0', 'weightNorm'],
      ['0.parametrizations.weight', 'unitNorm'],
    ]);
    expect(Object.keys(other.stateDict())).toEqual(keys);
    const report = applyRecipe(other, plan.recipe, { catalog });
    expect(recipeOf(other)).toEqual(recipeOf(model));
    expect(String(report)).toContain('0.parametrizations.weight.original1');
    report.undo();
    expect(recipeOf(other)).toEqual(recipe());
    model.dispose();
    other.dispose();
  });

  it('leave out tensors that the model lacks, and say so, if strict is false', () => {
    const model = plain();
    const given = recipe(weightNormOn('0'), weightNormOn('5'), weightNormOn('0.parametrizations.weight'));
    expect(failure(() => applyRecipe(model, given, { catalog }), model)).toBe(
      "UNKNOWN_TENSOR: applyRecipe: the model has no tensor '5.weight' (nearest: '0.weight', '2.weight'). Build the model that the recipe was made of, or pass strict: false to leave these tensors out.",
    );
    const report = applyRecipe(model, given, { catalog, strict: false });
    expect(report.registered.map(({ path }) => path)).toEqual(['0']);
    expect(report.unmatched).toEqual([1, 2]);
    expect(report.skipped.map(({ path, paths, reason }) => [path, paths, reason])).toEqual([
      ['5', [], 'the model has no such tensor'],
      ['0.parametrizations.weight', [], 'the model has no such tensor'],
    ]);
    expect(String(report)).toContain('5.weight');
    model.dispose();
  });

  it('change nothing if a late entry inside of a chain is missing', () => {
    const model = plain();
    const given = recipe(weightNormOn('0'), weightNormOn('0.parametrizations.weight'));
    expect(failure(() => applyRecipe(model, given, { catalog }), model)).toMatch(
      "UNKNOWN_TENSOR: applyRecipe: the model has no tensor '0.parametrizations.weight.weight'",
    );
    model.dispose();
  });

  it('refuse a tensor with other parametrizations or options', () => {
    const model = plain();
    weightNorm(model[0] as nn.Linear, { dim: 1 });
    unitNorm(model[2] as nn.Linear);
    const given = recipe(weightNormOn('0'), weightNormOn('2'));
    expect(failure(() => applyRecipe(model, given, { catalog }), model)).toBe(
      "CONFLICT: applyRecipe: '0.weight' has WeightNorm(dim=1) already; '2.weight' has UnitNorm(axis=0) already. Remove the parametrizations of these tensors, or leave them out of the recipe.",
    );
    const twice = recipe(weightNormOn('0', { dim: 1 }), weightNormOn('0', { dim: 0 }));
    fold(model);
    expect(failure(() => applyRecipe(model, twice, { catalog }), model)).toMatch(
      "CONFLICT: applyRecipe: two entries are about '0.weight', with other steps",
    );
    model.dispose();
  });

  it('refuse functions and classes that no recipe can name', () => {
    class Unnamed extends Parametrization {
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.neg(x);
      }
    }
    const [model, other] = [plain(), plain()];
    const unnamed = new Unnamed();
    registerParametrization(model[0] as nn.Linear, 'weight', (x: tf.Tensor) => tf.neg(x));
    const ofFunction = recipeOf(model);
    expect(ofFunction.parametrizations[0]!.steps).toEqual([{ kind: 'function', options: {} }]);
    expect(failure(() => applyRecipe(other, ofFunction, { catalog }), other)).toMatchInlineSnapshot(
      `"UNKNOWN_RECIPE: applyRecipe: '0.weight' was parametrized by a function without a definition, which a recipe cannot name. Make it with defineParametrization, or give its class a static className, and pass it in the catalog; or leave the tensor out of the recipe and register by hand."`,
    );
    removeParametrizations(model[0] as nn.Linear, 'weight');
    registerParametrization(model[0] as nn.Linear, 'weight', unnamed);
    expect(failure(() => applyRecipe(other, recipeOf(model), { catalog }), other)).toMatch(
      "'0.weight' was parametrized by a class without a definition",
    );
    model.dispose();
    other.dispose();
    unnamed.dispose();
  });

  it('leave a step as it is that has what second calls of a plan or a recipe would add', () => {
    const options = { catalog: { lora, weightNorm } };
    const rule = (adapter: string) => ({ match: '0', apply: lora, options: { rank: 1, adapter } });
    const model = plain();
    weightNorm(model[0] as nn.Linear);
    parametrize(model, [rule('a')]);
    const plan = parametrize(model, [rule('b'), rule('c')], { dryRun: true });
    const report = applyRecipe(model, plan.recipe, options);
    const map = parametrizationsOn(model[0]!, 'weight')[1] as Lora;
    expect(map.adapterNames).toEqual(['a', 'b', 'c']);
    const keys = Object.keys(model.stateDict());
    for (const recipe of [plan.recipe, report.recipe]) {
      const again = applyRecipe(model, recipe, options);
      expect([again.registered.length, again.unchanged.length]).toEqual([0, 2]);
    }
    expect(Object.keys(model.stateDict())).toEqual(keys);
    expect(failure(() => applyRecipe(model, JSON.stringify(plan.recipe), options), model)).toMatch(
      /^CONFLICT/,
    );
    report.undo();
    expect(map.adapterNames).toEqual(['a']);
    map.addAdapters(map.lora_A.get('a')!, { rank: 2, adapter: 'b' });
    expect(failure(() => applyRecipe(model, plan.recipe, options), model)).toMatch(/^STALE_PLAN/);
    const fresh = plain();
    const two = parametrize(fresh, [rule('a'), rule('b')], { dryRun: true });
    applyRecipe(fresh, two.recipe, options);
    for (const recipe of [two.recipe, JSON.stringify(two.recipe)]) {
      expect(applyRecipe(fresh, recipe, options).unchanged).toHaveLength(2);
    }
    for (const one of [model, fresh]) one.dispose();
  });

  it('refuse the recipe of a plan for tensors that have changed since', () => {
    const model = plain();
    weightNorm(model[2] as nn.Linear);
    const negate = (host: nn.Linear, name: 'weight'): nn.Linear =>
      registerParametrization(host, name, { forward: (x: tf.Tensor) => tf.neg(x), rightInverse: tf.neg });
    const plan = parametrize(model, [{ type: nn.Linear, apply: negate }], { dryRun: true });
    const options = { catalog: { negate } };
    const report = applyRecipe(model, plan.recipe, options);
    expect(report.registered).toHaveLength(2);
    expect(parametrizationsOn(model[2]!, 'weight')).toHaveLength(2);
    expect(applyRecipe(model, plan.recipe, options).unchanged).toHaveLength(2);
    expect(applyRecipe(model, report.recipe, options).unchanged).toHaveLength(2);
    report.undo();
    fold(model);
    expect(failure(() => applyRecipe(model, plan.recipe, options), model)).toBe(
      "STALE_PLAN: applyRecipe: '2.weight' has other parametrizations than when the recipe was planned. Make the plan again, or pass the recipe as text, which has no memory of a plan.",
    );
    expect(applyRecipe(model, JSON.stringify(plan.recipe), options).registered).toHaveLength(2);
    model.dispose();
    const holder = { weight: ones([2, 2]) };
    const planned = parametrize(holder, [{ name: 'weight', apply: weightNorm }], { dryRun: true });
    holder.weight.dispose();
    holder.weight = ones([3, 2]);
    expect(() => applyRecipe(holder, planned.recipe, { catalog })).toThrow(
      "'weight' has the shape [3, 2], and had [2, 2] when the recipe was planned",
    );
    holder.weight.dispose();
  });

  it.each([
    ['no JSON', '{', 'CORRUPT: applyRecipe: the recipe of parametrizations is not JSON'],
    ['an array', '[]', 'CORRUPT: applyRecipe: the recipe of parametrizations is not an object'],
    ['another version', '{"version":3,"parametrizations":[]}', 'UNKNOWN_RECIPE: applyRecipe: the recipe of'],
    ['inherited fields', Object.create(recipe()) as Recipe, 'UNKNOWN_RECIPE: applyRecipe: the recipe of'],
    ['holes', { version: 1, parametrizations: Array(2) } as unknown as Recipe, 'CORRUPT'],
    [
      'a step without options',
      '{"version":1,"parametrizations":[{"path":"0","tensor":"weight","steps":[{"kind":"weightNorm"}]}]}',
      'CORRUPT',
    ],
    ['a long path', recipe(weightNormOn('0.'.repeat(600))), 'LIMIT'],
    [
      'many steps',
      recipe({ path: '0', tensor: 'weight', steps: Array(65).fill({ kind: 'skew', options: {} }) }),
      'LIMIT',
    ],
    [
      'an inherited function',
      recipe({ path: '0', tensor: 'weight', steps: [{ kind: 'toString', options: {} }] }),
      "UNKNOWN_RECIPE: applyRecipe: '0.weight' was parametrized by 'toString', which the catalog has not",
    ],
    [
      'a wrong option',
      recipe(weightNormOn('0'), weightNormOn('2', { dims: 0 })),
      "OPTION: applyRecipe: '2.weight': 'dims' is not an option",
    ],
    [
      'an axis that the tensor lacks',
      recipe(weightNormOn('0'), weightNormOn('2', { dim: 7 })),
      "OPTION: applyRecipe: '2.weight'",
    ],
    ['a way to a prototype', recipe(weightNormOn('__proto__')), 'UNKNOWN_TENSOR'],
    [
      'options with a prototype',
      '{"version":1,"parametrizations":[{"path":"0","tensor":"weight","steps":[{"kind":"weightNorm","options":{"__proto__":{"dim":1}}}]}]}',
      "OPTION: applyRecipe: '0.weight': '__proto__' is not an option",
    ],
  ])('refuse %s, and change nothing', (_name, given, message) => {
    const model = plain();
    expect(failure(() => applyRecipe(model, given, { catalog }), model)).toContain(message);
    model.dispose();
  });

  it('refuse options that are none', () => {
    const model = plain();
    const call = (options: unknown) => (): unknown => applyRecipe(model, recipe(), options as never);
    expect(failure(call(undefined), model)).toMatch('OPTION: applyRecipe: the options are undefined');
    expect(failure(call({ catalog: null }), model)).toMatch('OPTION: applyRecipe: catalog is null');
    expect(failure(call({ catalog, strict: 'no' }), model)).toMatch('OPTION: applyRecipe: strict is no');
    expect(failure(() => recipeOf(null as never))).toMatch('UNSUPPORTED_HOST: recipeOf');
    model.dispose();
  });
});

describe('catalog', () => {
  it('has every function of the package under its own name', () => {
    expect(Object.keys(catalog).sort()).toEqual([...catalogNames].sort());
  });
});
