import * as tf from '@tensorflow/tfjs';
import {
  describe as describeModel,
  nn,
  orthogonal,
  parametrize,
  pure,
  registerParametrization,
  spectralNorm,
  unitNorm,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import * as legacy from 'tfjs-parametrize/legacy';
import { describe, expect, it } from 'vitest';
import { catalog } from '../../../src/model/catalog.ts';
import { failure } from '../../parametrize/unchanged.ts';

class Block extends nn.Module {
  conv = new nn.Conv1d(4, 4, 3);
  up = new nn.ConvTranspose1d(4, 4, 3);
  shortcut = new nn.Conv1d(4, 4, 1);
  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

class Generator extends nn.Module {
  conv_pre = new nn.Conv1d(2, 4, 3);
  blocks = new nn.ModuleList([new Block(), new Block()]);
  head = new nn.Linear(4, 2);
  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

const chains = (model: object): Record<string, readonly string[]> =>
  Object.fromEntries(
    describeModel(model).rows.map(({ path, tensor, chain }) => [`${path}.${tensor}`, chain]),
  );

const rules = [
  { match: 'conv_pre', apply: null },
  { type: nn.ConvTranspose1d, apply: weightNorm, options: { dim: 1 } },
  { type: [nn.Conv1d, 'Conv1d'], exclude: ['**.shortcut'], apply: weightNorm },
] as const;

/** The options that a function of the catalog needs. */
const needed: Readonly<Record<string, object>> = {
  fixedRank: { rank: 2 },
  kronecker: {
    shapes: [
      [1, 3],
      [3, 1],
    ],
  },
  lowRank: { rank: 2 },
};

describe('parametrize', () => {
  it('registers what the rules say on every tensor that they match', () => {
    const model = new Generator();
    const report = parametrize(model, rules);
    expect(chains(model)).toEqual({
      'blocks.0.conv.weight': ['WeightNorm(dim=0)'],
      'blocks.0.up.weight': ['WeightNorm(dim=1)'],
      'blocks.1.conv.weight': ['WeightNorm(dim=0)'],
      'blocks.1.up.weight': ['WeightNorm(dim=1)'],
    });
    expect(report.registered.map(({ path, rule, kind }) => [path, rule, kind])).toEqual([
      ['blocks.0.up', 1, 'weightNorm'],
      ['blocks.1.up', 1, 'weightNorm'],
      ['blocks.0.conv', 2, 'weightNorm'],
      ['blocks.1.conv', 2, 'weightNorm'],
    ]);
    expect(report.skipped.map(({ path, reason }) => [path, reason])).toEqual([
      ['conv_pre', 'rule 1 leaves it as it is'],
    ]);
    expect(report.untouched.map(({ path }) => path)).toEqual([
      'blocks.0.shortcut',
      'blocks.1.shortcut',
      'head',
    ]);
    model.dispose();
  });

  it('does nothing the second time', () => {
    const model = new Generator();
    parametrize(model, rules);
    const before = model.stateDict();
    const second = parametrize(model, rules);
    expect(second.registered).toEqual([]);
    expect(second.unchanged).toHaveLength(4);
    expect(Object.entries(model.stateDict())).toEqual(Object.entries(before));
    model.dispose();
  });

  it.each(Object.entries(catalog))(
    'leaves a tensor on which %s was registered by hand as it is',
    (kind, apply) => {
      // A square has no subspaces.
      const layer = new nn.Linear(kind === 'grassmannian' ? 2 : 3, 3);
      const options = needed[kind] ?? {};
      apply(layer, 'weight', options);
      const { registered, unchanged } = parametrize(layer, [{ apply, options }]);
      expect([registered, unchanged.map((one) => one.kind)]).toEqual([[], [kind]]);
      layer.dispose();
    },
  );

  it('knows the axes of a constraint in every form', () => {
    const layer = unitNorm(new nn.Linear(3, 3), { axis: [0, 1] });
    const by = (axis: number | number[]) => () =>
      parametrize(layer, [{ apply: unitNorm, options: { axis } }]);
    expect(by([-1, 0])().unchanged).toHaveLength(1);
    expect(failure(by(1), layer)).toContain(
      "CONFLICT: parametrize: rule 1: 'weight' has a unitNorm with other",
    );
    layer.dispose();
  });

  it('plans without changing anything, and its recipe names the tensors that the call registers on', () => {
    const model = new Generator();
    const keys = Object.keys(model.stateDict());
    const plan = parametrize(model, rules, { dryRun: true });
    expect(plan.isDryRun).toBe(true);
    expect(plan.registered).toHaveLength(4);
    expect(Object.keys(model.stateDict())).toEqual(keys);
    expect(plan.recipe.parametrizations.map(({ path }) => path)).toEqual(
      parametrize(model, rules).recipe.parametrizations.map(({ path }) => path),
    );
    model.dispose();
  });

  it('prints one line a tensor and the totals', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
    const report = parametrize(model, [{ match: '0', apply: weightNorm }]);
    expect(String(report).split('\n')).toEqual([
      'tensor    shape   rule  change               chain              trained',
      '0.weight  [3, 2]     1  + WeightNorm(dim=0)  WeightNorm(dim=0)  yes',
      '1 of 4 tensors parametrized, 46 % of the elements',
    ]);
    model.dispose();
  });

  it('takes back what it registered, with the values and nothing else', () => {
    const model = new Generator();
    weightNorm(model.head);
    const keys = Object.keys(model.stateDict());
    const variables = model.blocks.parameters();
    const report = parametrize(model, [
      { type: nn.Conv1d, apply: weightNorm },
      { type: nn.Linear, apply: unitNorm },
    ]);
    const values = model.blocks
      .children()
      .map((block) => tf.tidy(() => tf.clone((block as Block).conv.weight)));
    report.undo();
    expect(Object.keys(model.stateDict())).toEqual(keys);
    expect(model.blocks.parameters()).toEqual(variables);
    expect(chains(model)).toEqual({ 'head.weight': ['WeightNorm(dim=0)'] });
    for (const [i, block] of model.blocks.children().entries()) {
      expect((block as Block).conv.weight).toBeAllClose(values[i]!);
    }
    tf.dispose(values);
    report.undo();
    model.dispose();
  });

  it('lets later rules stack on earlier ones, in the order of the rules', () => {
    const model = new nn.Sequential(new nn.Linear(4, 4));
    const negate = (x: tf.Tensor): tf.Tensor => tf.neg(x);
    parametrize(model, [
      { type: nn.Linear, apply: weightNorm },
      {
        type: nn.Linear,
        apply: (host: nn.Linear, name: 'weight') =>
          registerParametrization(host, name, { forward: negate, rightInverse: negate }),
      },
    ]);
    expect(chains(model)).toEqual({ '0.weight': ['WeightNorm(dim=0)', 'object'] });
    model.dispose();
  });

  it('takes options for each tensor, and leaves out those whose options are null', () => {
    const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 2));
    const report = parametrize(model, [
      {
        type: nn.Linear,
        apply: orthogonal,
        options: ({ shape }) => (shape[0] === shape[1] ? { orthogonalMap: 'cayley' as const } : null),
      },
    ]);
    expect(report.registered.map(({ path }) => path)).toEqual(['0']);
    expect(report.skipped.map(({ path, reason }) => [path, reason])).toEqual([['1', 'the options are null']]);
    model.dispose();
  });

  it('takes rules as data, with a catalog', () => {
    const model = new nn.Sequential(new nn.Linear(2, 2));
    const data = JSON.parse('[{"match":"**","type":"Linear","apply":"weightNorm","options":{"dim":1}}]');
    parametrize(model, data, { catalog: { weightNorm } });
    expect(chains(model)).toEqual({ '0.weight': ['WeightNorm(dim=1)'] });
    model.dispose();
  });

  it('registers on a shared module once, whichever path matches', () => {
    class Tied extends nn.Module {
      first = new nn.Linear(2, 2);
      second = this.first;
      override forward(x: tf.Tensor): tf.Tensor {
        return x;
      }
    }
    const model = new Tied();
    const report = parametrize(model, [{ match: 'second', apply: weightNorm }]);
    expect(report.registered.map(({ path, paths }) => [path, paths])).toEqual([
      ['second', ['first', 'second']],
    ]);
    expect(parametrize(model, [{ match: 'first', apply: weightNorm }]).registered).toEqual([]);
    model.dispose();
  });

  it('replaces, keeps or stacks a parametrization of the same kind with other options, as the rule says', () => {
    const on = (onConflict: 'keep' | 'replace' | 'append') => {
      const model = new nn.Sequential(unitNorm(new nn.Linear(3, 2), { axis: 0 }));
      const rule = { type: nn.Linear, apply: unitNorm, options: { axis: 1 }, onConflict } as const;
      const { length } = parametrize(model, [rule]).registered;
      const chain = chains(model)['0.weight'];
      model.dispose();
      return [length, chain];
    };
    expect(on('keep')).toEqual([0, ['UnitNorm(axis=0)']]);
    expect(on('replace')).toEqual([1, ['UnitNorm(axis=1)']]);
    expect(on('append')).toEqual([1, ['UnitNorm(axis=0)', 'UnitNorm(axis=1)']]);
  });

  it('keeps the value where it replaces a weight norm by one along another axis', () => {
    const model = new nn.Sequential(weightNorm(new nn.Linear(3, 2)));
    const layer = model.children()[0] as nn.Linear;
    const before = tf.tidy(() => tf.clone(layer.weight));
    parametrize(model, [{ type: nn.Linear, apply: weightNorm, options: { dim: 1 }, onConflict: 'replace' }]);
    expect(chains(model)).toEqual({ '0.weight': ['WeightNorm(dim=1)'] });
    expect(layer.weight).toBeAllClose(before);
    before.dispose();
    model.dispose();
  });

  it.each<[string, readonly object[], string]>([
    [
      'a misspelt path',
      [{ match: 'conv_per', apply: weightNorm }],
      "UNMATCHED_RULE: parametrize: rule 1: 'conv_per' matches nothing; nearest: 'conv_pre'",
    ],
    [
      'every rule that matches nothing at once',
      [
        { match: ['head', 'tail'], apply: weightNorm },
        { type: nn.LSTM, apply: weightNorm },
      ],
      "rule 1: 'tail' matches nothing; nearest: 'head', 'head.bias', 'conv_pre'; rule 2: '**' matches Conv1d 'conv_pre', Conv1d 'blocks.0.conv', ConvTranspose1d 'blocks.0.up' and 5 more, but no LSTM.",
    ],
    [
      'two rules of one kind on one tensor',
      [
        { match: 'head', apply: unitNorm },
        { type: 'Linear', apply: unitNorm },
      ],
      "CONFLICT: parametrize: rules 1 and 2 both register unitNorm on 'head.weight'",
    ],
    [
      'a weight norm above another map',
      [
        { match: 'head', apply: unitNorm },
        { type: 'Linear', apply: weightNorm },
      ],
      "CONFLICT: parametrize: rule 2: weightNorm takes 2 originals, but 'head.weight' is parametrized already",
    ],
    [
      'an unknown option of the map',
      [{ match: 'head', apply: weightNorm, options: { dims: 0 } }],
      "OPTION: parametrize: rule 1: 'dims' is not an option. Did you mean 'dim'?",
    ],
    [
      'a misspelt condition',
      [{ matches: 'head', apply: weightNorm }],
      "OPTION: parametrize: rule 1: 'matches' is not an option. Did you mean 'match'?",
    ],
    [
      'a name that the catalog has not',
      [{ apply: 'weightnorm' }],
      "UNKNOWN_RECIPE: parametrize: rule 1: the catalog has no 'weightnorm'; it has nothing",
    ],
    [
      'a pattern without meaning',
      [{ match: 'blocks[0]', apply: weightNorm }],
      "PATTERN: parametrize: rule 1: the pattern 'blocks[0]' has a '['",
    ],
    [
      'no rules at all',
      { apply: weightNorm } as never,
      'OPTION: parametrize: the rules are Object. Pass an array of rules',
    ],
  ])('refuses %s, and has changed nothing', (_what, wrong, message) => {
    const model = new Generator();
    expect(failure(() => parametrize(model, wrong as never), model)).toContain(message);
    model.dispose();
  });

  it('lists every tensor that a registration is refused for, and has changed nothing', () => {
    const model = new Generator();
    const wrong = (host: object, name: string): void => {
      if (name === 'weight' && host instanceof nn.Conv1d)
        registerParametrization(host, name, (x: tf.Tensor) => tf.sum(x));
      else weightNorm(host as nn.Linear);
    };
    const message = failure(
      () => parametrize(model, [{ type: [nn.Conv1d, nn.Linear], apply: wrong }]),
      model,
    );
    expect(message).toContain("SHAPE: parametrize: rule 1, 'conv_pre.weight':");
    expect(message).toContain("rule 1, 'blocks.1.shortcut.weight':");
    expect(message).not.toContain("'head.weight'");
    model.dispose();
  });

  it('frees what it made for a place that it cannot take', () => {
    const layer = spectralNorm(new nn.Linear(3, 3));
    registerParametrization(layer.parametrizations!.weight!, 'original', pure(tf.neg));
    const rule = {
      match: '',
      apply: spectralNorm,
      options: { nPowerIterations: 2 },
      onConflict: 'replace',
    } as const;
    expect(failure(() => parametrize(layer, [rule]), layer)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: parametrize: rule 1, 'weight': Linear.weight would have other originals, and one of them is parametrized itself. Remove the parametrizations of the original first."`,
    );
    layer.dispose();
  });

  it('works on a compiled model of tf.layers, which it syncs', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, inputShape: [3], name: 'hidden', activation: 'relu' }),
        tf.layers.dense({ units: 1, name: 'out' }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    const [x, y] = [tf.ones([8, 3]), tf.zeros([8, 1])];
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    const report = parametrize(model, [{ type: 'Dense', exclude: 'out', name: 'kernel', apply: unitNorm }]);
    expect(report.registered.map(({ path, tensor }) => [path, tensor])).toEqual([['hidden', 'kernel']]);
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    tf.tidy(() => {
      expect(tf.norm(valueOf(model.layers[0]!, 'kernel'), 'euclidean', 0)).toBeAllClose([1, 1, 1, 1]);
    });
    report.undo();
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    model.optimizer.dispose();
    model.dispose();
    tf.dispose([x, y]);
  });

  it('needs a built model of tf.layers', () => {
    const layer = tf.layers.dense({ units: 4 });
    expect(() => parametrize(layer, [{ type: 'Dense', apply: weightNorm }])).toThrow(
      'Build the model first: give its first layer an inputShape.',
    );
  });

  it('leaves tensors that the hook API computes', () => {
    const model = new nn.Sequential(new nn.Linear(2, 2));
    legacy.weightNorm(model.children()[0] as nn.Linear);
    const report = parametrize(model, [{ type: nn.Linear, apply: weightNorm }]);
    expect(report.registered).toEqual([]);
    expect(report.skipped.map(({ reason }) => reason)).toEqual(['the hook API computes it']);
    model.dispose();
  });
});
