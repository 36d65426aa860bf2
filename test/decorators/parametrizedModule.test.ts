import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parametrizedModule } from '../../src/decorators/index.ts';
import {
  clone,
  describe as describeModel,
  fold,
  isParametrized,
  nn,
  parametrize,
  weightNorm,
} from '../../src/index.ts';
import { legacyModes, load, standardModes } from './modes.ts';

type Rules = typeof import('./programs/rules.ts');

const made: nn.Module[] = [];
/** Has a module disposed after the test. */
function use<M extends nn.Module>(module: M): M {
  made.push(module);
  return module;
}
afterEach(() => {
  for (const module of made.splice(0)) module.dispose();
});

/** The chains of a model, with the class that declares each step. */
const chainsOf = (model: object): Record<string, string> =>
  Object.fromEntries(
    describeModel(model).rows.map(({ path, tensor, chain, declaredBy }) => [
      `${path}.${tensor}`,
      chain.map((text, i) => `${text} by ${declaredBy[i]}`).join(' → '),
    ]),
  );

const vocoder = {
  'up.weight': 'WeightNorm(dim=1) by Vocoder',
  'mix.weight': 'Symmetric() by Vocoder.mix',
  'blocks.0.weight': 'WeightNorm(dim=0) by Vocoder',
  'blocks.1.weight': 'WeightNorm(dim=0) by Vocoder',
};

describe.each([...standardModes, ...legacyModes])('$name: a class with rules', (mode) => {
  let classes: Rules;
  beforeAll(async () => {
    classes = await load(mode, 'rules');
  });

  it('makes objects that are parametrized by the rules, and remembers who declared what', () => {
    const model = use(new classes.Vocoder());
    expect(model).toBeInstanceOf(classes.Vocoder);
    expect([model.constructor, model.constructor.name]).toEqual([classes.Vocoder, 'Vocoder']);
    expect(chainsOf(model)).toEqual(vocoder);
  });

  it('gives its rules to subclasses: to their modules, too, where they have the decorator', () => {
    const [wide, decorated, undecorated] = [
      use(new classes.Wide()),
      use(new classes.Decorated()),
      use(new classes.Undecorated()),
    ];
    expect(chainsOf(wide)).toEqual({
      ...vocoder,
      'mix.weight': 'Symmetric() by Vocoder.mix → UnitNorm(axis=1) by Wide',
      'more.weight': 'WeightNorm(dim=0) by Vocoder',
      'head.weight': 'UnitNorm(axis=1) by Wide',
    });
    expect(chainsOf(decorated)).toEqual({ ...vocoder, 'more.weight': 'WeightNorm(dim=0) by Vocoder' });
    expect(chainsOf(undecorated)).toEqual(vocoder);
  });

  it('may be abstract: the rules wait for the constructor of the subclass', () => {
    expect(Object.keys(chainsOf(use(new classes.Pair())))).toEqual(['layers.0.weight', 'layers.1.weight']);
  });

  it('leaves what objects inside declare as it is', () => {
    expect(chainsOf(use(new classes.Outer()))).toEqual({
      ...Object.fromEntries(Object.entries(vocoder).map(([path, chain]) => [`inner.${path}`, chain])),
      'inner.pre.weight': 'WeightNorm(dim=0) by Outer',
      'inner.post.weight': 'WeightNorm(dim=0) by Outer',
      'head.weight': 'WeightNorm(dim=0) by Outer',
    });
  });

  it('makes copies with the chains of their source, and no rule is applied to a copy', () => {
    const model = use(new classes.Vocoder());
    expect(chainsOf(use(clone(model)))).toEqual(vocoder);
    fold(model);
    expect(chainsOf(use(model.clone()))).toEqual({});
  });

  it('refuses to make an object for which a rule matches nothing, and leaves its parts as they were', () => {
    const layer = use(new nn.Linear(2, 2));
    const { numTensors } = tf.memory();
    expect(() => new classes.Unmatched(layer)).toThrow(
      "@parametrizedModule Unmatched: rule 1: 'hidden.*' matches nothing; nearest: 'layer'",
    );
    expect([isParametrized(layer), tf.memory().numTensors]).toEqual([false, numTensors]);
  });
});

describe('parametrizedModule', () => {
  it('trains, saves and loads like a model with the same rules by hand', () => {
    class Plain extends nn.Module {
      linear = new nn.Linear(3, 2);
      override forward(x: tf.Tensor): tf.Tensor {
        return this.linear.call(x);
      }
    }
    const rules = [{ type: nn.Linear, apply: weightNorm }];
    const Ruled = parametrizedModule({ rules })(class extends Plain {});
    const [byHand, model] = [use(new Plain()), use(new Ruled())];
    parametrize(byHand, rules);
    expect(Object.keys(model.stateDict())).toEqual(Object.keys(byHand.stateDict()));
    model.loadStateDict(byHand.stateDict());
    for (const each of [byHand, model]) {
      const sgd = tf.train.sgd(0.1);
      sgd.minimize(
        () => tf.sum(tf.square(each.call(tf.ones([2, 3])))) as tf.Scalar,
        false,
        each.parameters(),
      );
      sgd.dispose();
    }
    tf.tidy(() => {
      expect(model.linear.weight).toBeAllClose(byHand.linear.weight);
    });
  });

  it('gives inherited rules to a subclass that it decorates without options', () => {
    const Ruled = parametrizedModule({ rules: [{ match: 'layer', apply: weightNorm }] })(
      class Ruled extends nn.Module {
        override forward(): void {}
      },
    );
    class Undecorated extends Ruled {
      layer = new nn.Linear(2, 2);
    }
    const { numTensors } = tf.memory();
    expect(() => new Undecorated()).toThrow("'layer' matches nothing");
    expect(tf.memory().numTensors).toBe(numTensors);
    const Decorated = parametrizedModule(Undecorated);
    expect(isParametrized(use(new Decorated()).layer)).toBe(true);
  });

  it('checks rules where the class is made', () => {
    const message = (options: unknown): string => {
      try {
        parametrizedModule(options as never);
      } catch (error) {
        return String(error);
      }
      return 'nothing';
    };
    expect(
      [
        undefined,
        { rule: [] },
        {},
        { rules: { apply: weightNorm } },
        { rules: [{ matches: '**', apply: weightNorm }] },
        { rules: [{ apply: null }, { match: 'a..b', apply: weightNorm }] },
        { rules: [{ type: 3, apply: weightNorm }] },
        { rules: [{ apply: 'weightnorm' }], catalog: { weightNorm } },
      ].map(message),
    ).toMatchInlineSnapshot(`
      [
        "ParametrizeError: @parametrizedModule: expected a class or options, got undefined. Write @parametrizedModule, or @parametrizedModule({ rules: [{ type: nn.Linear, apply: weightNorm }] }).",
        "ParametrizeError: @parametrizedModule: 'rule' is not an option. Did you mean 'rules'? It has: rules, catalog.",
        "ParametrizeError: @parametrizedModule: the rules are undefined. Pass an array of rules: { rules: [{ type: nn.Linear, apply: weightNorm }] }.",
        "ParametrizeError: @parametrizedModule: the rules are Object. Pass an array of rules: { rules: [{ type: nn.Linear, apply: weightNorm }] }.",
        "ParametrizeError: @parametrizedModule: rule 1: 'matches' is not an option. Did you mean 'match'? It has: match, type, exclude, name, apply, options, optional, onConflict.",
        "ParametrizeError: @parametrizedModule: rule 2: the pattern 'a..b' has an empty segment. A path has names between its dots: encoder.0.",
        "ParametrizeError: @parametrizedModule: rule 1: a type is number. Pass a class or the name of a class: nn.Linear, 'Dense'.",
        "ParametrizeError: @parametrizedModule: rule 1: the catalog has no 'weightnorm'; it has weightNorm. Did you mean 'weightNorm'?",
      ]
    `);
  });
});
