import * as tf from '@tensorflow/tfjs';
import {
  applyRecipe,
  catalog,
  fold,
  freeze,
  groupOptimizer,
  nn,
  parametrize,
  type Recipe,
  recipeOf,
  removeParametrizations,
  spectralNorm,
  unitNorm,
  weightNorm,
} from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { failure } from '../parametrize/unchanged.ts';

class Model extends nn.Module {
  stem = new nn.Conv1d(2, 4, 3);
  blocks = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 4), new nn.LSTM(4, 4)]);
  head = new nn.Linear(4, 2);
  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

/** What parametrize refuses rules with, on a new model, which stays as it is. */
function refusal(rules: readonly object[], prepare: (model: Model) => void = () => {}): string {
  const model = new Model();
  prepare(model);
  const message = failure(() => parametrize(model, rules as never), model);
  // A plan refuses what the call does.
  expect(failure(() => parametrize(model, rules as never, { dryRun: true }), model)).toBe(message);
  model.dispose();
  return message;
}

const unmatched = (condition: object): string => refusal([{ ...condition, apply: weightNorm }]);

describe('UNMATCHED_RULE', () => {
  it('names the nearest paths of a glob', () => {
    expect(unmatched({ match: 'block.0' })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'block.0' matches nothing; nearest: 'blocks.0', 'blocks.1', 'blocks.2'. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: 'head.wieght' })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'head.wieght' matches nothing; nearest: 'head.weight', 'stem.weight', 'head.bias'. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: /^tail$/ })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: /^tail$/ matches nothing; nearest: 'stem', 'head', 'stem.bias'. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: () => false })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: the predicate matches nothing; the model has Conv1d 'stem', Linear 'blocks.0', Linear 'blocks.1' and 2 more. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
  });

  it('names the hosts without a main weight, and their tensors', () => {
    expect(unmatched({ match: 'blocks.2' })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'blocks.2' matches LSTM 'blocks.2' with no main weight; name some of weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: 'head', name: 'weight_hh_l0' })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'head' matches Linear 'head' with no 'weight_hh_l0'; name some of weight, bias. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
  });

  it('names the patterns that exclude all', () => {
    expect(
      unmatched({ match: 'blocks.*', type: nn.Linear, exclude: ['**.0', '**.1', 'head'] }),
    ).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'blocks.*' matches Linear 'blocks.0', Linear 'blocks.1', excluded by '**.0' and '**.1'. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
  });

  it('names the hosts of the path where the type is another', () => {
    expect(unmatched({ match: 'blocks.*', type: nn.Conv1d })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'blocks.*' matches Linear 'blocks.0', Linear 'blocks.1', LSTM 'blocks.2', but no Conv1d. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: 'head', type: [nn.Conv2d, 'LSTM'] })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'head' matches Linear 'head', but no Conv2d or 'LSTM'. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
  });

  it('names the hosts of a type where the path is another', () => {
    expect(unmatched({ match: 'steem', type: nn.Linear })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'steem' matches nothing; nearest Linear: 'head', 'blocks.0', 'blocks.1'. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: 'steem', type: 'Dense' })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'steem' matches nothing; nearest: 'stem', 'head', 'stem.bias'. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: 'head', type: [nn.Linear, nn.Conv1d] })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: type Conv1d is that of Conv1d 'stem', which no other condition allows. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: 'head', type: [nn.Linear, 'Dense'] })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: type 'Dense' is that of no host with tensors; the model has Conv1d, Linear, LSTM. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
  });

  it('says which names no host has, and which are elsewhere', () => {
    expect(unmatched({ match: 'head', name: ['weight', 'wieght'] })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: name 'wieght' is that of no tensor; nearest: weight, bias, weight_ih_l0. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
    expect(unmatched({ match: 'head', name: ['weight', 'weight_ih_l0'] })).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: name 'weight_ih_l0' is in LSTM 'blocks.2', which no other condition allows. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
  });

  it('lists all patterns of all rules at once', () => {
    expect(
      refusal([
        { match: ['head', 'haed', 'blocks.7'], apply: unitNorm },
        { match: 'stem', apply: weightNorm },
        { type: 'GRU', apply: weightNorm },
      ]),
    ).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: parametrize: rule 1: 'haed' matches nothing; nearest: 'head', 'stem', 'head.bias'; rule 1: 'blocks.7' matches nothing; nearest: 'blocks.0', 'blocks.1', 'blocks.2'; rule 3: '**' matches Conv1d 'stem', Linear 'blocks.0', Linear 'blocks.1' and 2 more, but no 'GRU'. Correct the rule, or pass optional: true for one that may match nothing."`,
    );
  });

  it('says of an original that the selected tensors lack which ones they have', () => {
    const model = new Model();
    weightNorm(model.head);
    expect(failure(() => freeze(model, { match: 'head', original: 'u' }), model)).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: freeze: original 'u' is that of no tensor; the selected ones have original0, original1. describe(model, { unparametrized: true }) lists the tensors."`,
    );
    expect(failure(() => freeze(model, { match: 'stem', original: 'g' }), model)).toMatchInlineSnapshot(
      `"UNMATCHED_RULE: freeze: original 'g' is that of no tensor; the selected ones have none. describe(model, { unparametrized: true }) lists the tensors."`,
    );
    model.dispose();
  });
});

describe('CONFLICT', () => {
  it('names two rules that register one kind on a tensor', () => {
    expect(
      refusal([
        { type: nn.Linear, apply: unitNorm },
        { match: ['head', 'stem'], apply: unitNorm, options: { axis: 1 } },
      ]),
    ).toMatchInlineSnapshot(
      `"CONFLICT: parametrize: rules 1 and 2 both register unitNorm on 'head.weight'. Leave the tensor out of one of the rules by exclude."`,
    );
  });

  it('names a tensor that has the kind with other options', () => {
    const rule = { match: 'head', apply: weightNorm, options: { dim: 1 } };
    expect(refusal([rule], (model) => weightNorm(model.head))).toMatchInlineSnapshot(
      `"CONFLICT: parametrize: rule 1: 'head.weight' has a weightNorm with other options. Pass onConflict: 'keep' or 'replace', or leave the tensor out by exclude."`,
    );
  });

  it('names a map that makes several originals of a tensor that is parametrized', () => {
    const rule = { match: ['head', 'stem'], apply: weightNorm };
    expect(
      refusal([rule], (model) => {
        spectralNorm(model.head);
        unitNorm(model.stem);
      }),
    ).toMatchInlineSnapshot(
      `"CONFLICT: parametrize: rule 1: weightNorm takes 2 originals, but 'stem.weight' is parametrized already; rule 1: weightNorm takes 2 originals, but 'head.weight' is parametrized already. Remove the parametrizations of the tensor first, or leave it out by exclude."`,
    );
    expect(refusal([{ match: 'stem', apply: unitNorm }, rule])).toMatchInlineSnapshot(
      `"CONFLICT: parametrize: rule 2: weightNorm takes 2 originals, but 'stem.weight' is parametrized already. Put the rule of weightNorm before the others of the tensor."`,
    );
  });

  it('lists conflicts of several reasons at once, with the remedy of each', () => {
    const rules = [
      { match: 'head', apply: unitNorm, options: { axis: 0 } },
      { match: ['stem', 'blocks.0'], apply: weightNorm },
    ];
    expect(
      refusal(rules, (model) => {
        for (const layer of [model.head, model.stem, model.blocks[0] as nn.Linear])
          unitNorm(layer, { axis: 1 });
      }),
    ).toMatchInlineSnapshot(
      `"CONFLICT: parametrize: rule 1: 'head.weight' has a unitNorm with other options; rule 2: weightNorm takes 2 originals, but 'stem.weight' is parametrized already; rule 2: weightNorm takes 2 originals, but 'blocks.0.weight' is parametrized already. Pass onConflict: 'keep', 'replace' or 'append', or leave the tensor out by exclude. Remove the parametrizations of the tensor first, or leave it out by exclude."`,
    );
  });

  it('names a tensor of a recipe that has another chain, and two entries that disagree', () => {
    const model = new Model();
    weightNorm(model.head);
    const recipe = recipeOf(model);
    const [entry] = recipe.parametrizations;
    removeParametrizations(model.head, 'weight');
    spectralNorm(model.head);
    expect(failure(() => applyRecipe(model, recipe, { catalog }), model)).toMatchInlineSnapshot(
      `"CONFLICT: applyRecipe: 'head.weight' has SpectralNorm(nPowerIterations=1, eps=1e-12, dim=0) already. Remove the parametrizations of these tensors, or leave them out of the recipe."`,
    );
    removeParametrizations(model.head, 'weight');
    const other = { ...entry!, steps: [{ kind: 'unitNorm', options: { axis: 0 } }] };
    const both: Recipe = { version: 1, parametrizations: [entry!, other] };
    expect(failure(() => applyRecipe(model, both, { catalog }), model)).toMatchInlineSnapshot(
      `"CONFLICT: applyRecipe: two entries are about 'head.weight', with other steps. Leave one of the entries out of the recipe."`,
    );
    model.dispose();
  });
});

describe('STALE_PLAN', () => {
  it('lists every tensor whose shape or chain is another than when the recipe was planned', () => {
    const model = new Model();
    const { recipe } = parametrize(model, [{ match: ['stem', 'head'], apply: weightNorm }], { dryRun: true });
    model.head.dispose();
    model.head = new nn.Linear(4, 3);
    unitNorm(model.stem);
    expect(failure(() => applyRecipe(model, recipe, { catalog }), model)).toMatchInlineSnapshot(
      `"STALE_PLAN: applyRecipe: 'stem.weight' has other parametrizations than when the recipe was planned; 'head.weight' has the shape [3, 4], and had [2, 4] when the recipe was planned. Make the plan again, or pass the recipe as text, which has no memory of a plan."`,
    );
    fold(model);
    expect(failure(() => applyRecipe(model, recipe, { catalog, dryRun: true }), model)).toMatchInlineSnapshot(
      `"STALE_PLAN: applyRecipe: 'head.weight' has the shape [3, 4], and had [2, 4] when the recipe was planned. Make the plan again, or pass the recipe as text, which has no memory of a plan."`,
    );
    model.dispose();
  });
});

describe('UNKNOWN_RECIPE', () => {
  const entry = { path: 'head', tensor: 'weight', steps: [{ kind: 'weightNorm', options: {} }] };

  it('names a kind that the catalog lacks', () => {
    const model = new Model();
    const recipe: Recipe = { version: 1, parametrizations: [entry] };
    expect(failure(() => applyRecipe(model, recipe, { catalog: { unitNorm } }), model)).toMatchInlineSnapshot(
      `"UNKNOWN_RECIPE: applyRecipe: 'head.weight' was parametrized by 'weightNorm', which the catalog has not; it has unitNorm. Add a function of that name: catalog: { weightNorm: (host, name, options) => … }."`,
    );
    const rules = [{ match: 'head', apply: 'weigthNorm' }];
    expect(
      failure(() => parametrize(model, rules, { catalog: { weightNorm, unitNorm } }), model),
    ).toMatchInlineSnapshot(
      `"UNKNOWN_RECIPE: parametrize: rule 1: the catalog has no 'weigthNorm'; it has weightNorm, unitNorm. Did you mean 'weightNorm'?"`,
    );
    model.dispose();
  });

  it('names the versions that can be read', () => {
    const model = new Model();
    const refusalOf = (version: unknown): string =>
      failure(() => applyRecipe(model, { version, parametrizations: [entry] } as never, { catalog }), model);
    expect([99, '1', undefined, 'x'.repeat(100)].map(refusalOf)).toMatchInlineSnapshot(`
      [
        "UNKNOWN_RECIPE: applyRecipe: the recipe of parametrizations has version 99, this package reads 1 and 2. Update the package.",
        "UNKNOWN_RECIPE: applyRecipe: the recipe of parametrizations has version "1", this package reads 1 and 2. Update the package.",
        "UNKNOWN_RECIPE: applyRecipe: the recipe of parametrizations has version undefined, this package reads 1 and 2. Update the package.",
        "UNKNOWN_RECIPE: applyRecipe: the recipe of parametrizations has version "xxxxxxxxxxxxxxxxxxx, this package reads 1 and 2. Update the package.",
      ]
    `);
    model.dispose();
  });
});

describe('PATTERN', () => {
  it('tells what means nothing in a glob', () => {
    const patterns = ['blocks..0', '.head', 'blocks[0]', 'blocks\\.0', 'blocks.{0,1'];
    expect(patterns.map((match) => unmatched({ match }))).toMatchInlineSnapshot(`
      [
        "PATTERN: parametrize: rule 1: the pattern 'blocks..0' has an empty segment. A path has names between its dots: encoder.0.",
        "PATTERN: parametrize: rule 1: the pattern '.head' has an empty segment. A path has names between its dots: encoder.0.",
        "PATTERN: parametrize: rule 1: the pattern 'blocks[0]' has a '[', which means nothing in a glob. Pass a RegExp for more.",
        "PATTERN: parametrize: rule 1: the pattern 'blocks\\.0' has a '\\', which means nothing in a glob. Pass a RegExp for more.",
        "PATTERN: parametrize: rule 1: the pattern 'blocks.{0,1' has a '{' without a '}'. Braces hold texts or a range: {q,k,v}_proj, {0..5}.",
      ]
    `);
  });

  it('is the error of excluded patterns too', () => {
    expect(refusal([{ apply: weightNorm, exclude: ['head', 'a..b'] }])).toMatchInlineSnapshot(
      `"PATTERN: parametrize: rule 1: the pattern 'a..b' has an empty segment. A path has names between its dots: encoder.0."`,
    );
  });

  it('names what a predicate returned, and for which path', () => {
    expect(unmatched({ match: (_: object, path: string) => path.match(/head/) })).toMatchInlineSnapshot(
      `"PATTERN: parametrize: rule 1: a predicate returned null for 'stem'. Return true or false."`,
    );
    const isHead = async (_: object, path: string): Promise<boolean> => path === 'head';
    expect(unmatched({ match: isHead })).toMatchInlineSnapshot(
      `"PATTERN: parametrize: rule 1: a predicate returned Promise for 'stem'. Return true or false."`,
    );
  });

  it('names what is no pattern', () => {
    expect(unmatched({ match: 7 })).toMatchInlineSnapshot(
      `"PATTERN: parametrize: rule 1: a pattern is number. Pass a glob, a RegExp or a function of (host, path, candidate)."`,
    );
    expect(unmatched({ match: [null] })).toMatchInlineSnapshot(
      `"PATTERN: parametrize: rule 1: a pattern is null. Pass a glob, a RegExp or a function of (host, path, candidate)."`,
    );
  });
});

describe('UNGROUPED', () => {
  it('lists the parameters that no group takes, and how to leave them', () => {
    const model = new Model();
    weightNorm(model.head);
    const optimizer = tf.train.sgd(1);
    const groups = [{ match: 'blocks.**', optimizer }];
    expect(failure(() => groupOptimizer(model, groups), model)).toMatchInlineSnapshot(
      `"UNGROUPED: groupOptimizer: 5 parameters in no group: 'stem.weight', 'stem.bias', 'head.parametrizations.weight.original0', 'head.parametrizations.weight.original1', 'head.bias'. Add a last group without conditions, { optimizer }, with null for parameters that stay as they are."`,
    );
    expect(
      failure(
        () =>
          groupOptimizer(model, [
            { match: ['stem', 'blocks.**'], optimizer },
            { match: 'head', original: 'v', optimizer: null },
          ]),
        model,
      ),
    ).toMatchInlineSnapshot(
      `"UNGROUPED: groupOptimizer: 2 parameters in no group: 'head.parametrizations.weight.original0', 'head.bias'. Add a last group without conditions, { optimizer }, with null for parameters that stay as they are."`,
    );
    optimizer.dispose();
    model.dispose();
  });
});
