import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  applyRecipe,
  catalog,
  insertParametrization,
  isParametrized,
  type ParametrizeReport,
  parametrizationsOn,
  parametrize,
  recipeOf,
  registerParametrization,
  removeParametrization,
  removeParametrizations,
  reorderParametrizations,
  replaceParametrization,
  valueOf,
  WeightNorm,
  without,
} from 'tfjs-parametrize';
import { describe, expect, it } from 'vitest';
import 'tfjs-parametrize/layers';
import { distanceOf, gradientsNearest } from '../parametrize/programs/kinks.ts';
import { mapOf, register } from '../parametrize/programs/maps.ts';
import { disposeMirror, mirrorOf, stepOf, variablesBelow } from '../parametrize/programs/mirror.ts';
import {
  evaluate,
  evaluateGiven,
  leaves,
  numbersOf,
  type ReferenceStep,
} from '../parametrize/programs/reference.ts';

const maps = [
  'weightNorm',
  'unitNorm',
  'maxNorm',
  'minMaxNorm',
  'nonNeg',
  'orthogonal, cayley',
  'skew',
  'symmetric',
] as const;
const verbs = ['register', 'insert', 'replace', 'remove', 'reorder', 'reorder', 'reorder'] as const;
const others = ['without', 'rule', 'undo', 'recipe', 'step', 'step'] as const;

const instruction = fc.record({
  do: fc.constantFrom(...verbs, ...others),
  map: fc.constantFrom(...maps),
  limit: fc.double({ min: 0.5, max: 1.5, noNaN: true }),
  at: fc.nat(11),
  keep: fc.constantFrom('value' as const, 'originals' as const),
});
type Instruction = typeof instruction extends fc.Arbitrary<infer T> ? T : never;

const spliced = <T>(list: readonly T[], at: number, removed: number, ...added: readonly T[]): T[] => [
  ...list.slice(0, at),
  ...added,
  ...list.slice(at + removed),
];

/** The value after the first `old` steps is given to the first `steps` new ones; without it the originals stay. */
type Given = { readonly old: number; readonly steps: number } | 'originals';
/** What a change must give: the names of the steps, and where the value comes from. */
type Outcome = { readonly kinds: readonly string[]; readonly given: Given };

/** A dense layer in a model, whose chain is edited, and its uncached reference. */
class EditedLayer {
  readonly layer = tf.layers.dense({ units: 3, inputShape: [3], useBias: false });
  readonly model = tf.sequential({ layers: [this.layer] });
  readonly place = { host: this.layer, name: 'kernel' };
  readonly x = tf.tensor2d([0.4, -0.3, 0.8, -0.6, 0.2, 0.5], [2, 3]);
  readonly owned: { dispose(): void }[] = [];
  private mirror;
  private report: ParametrizeReport | null = null;

  constructor(private readonly performed: Map<string, number>) {
    const kernel = tf.randomNormal([3, 3], 0, 0.7, 'float32', 3);
    this.layer.setWeights([kernel]);
    kernel.dispose();
    this.mirror = mirrorOf(this.place);
  }

  execute(one: Instruction): void {
    const { layer, model, place } = this;
    const kinds = this.kinds();
    const { length } = kinds;
    const { keep, map: name, limit } = one;
    const at = length === 0 ? 0 : one.at % length;
    const all = { old: length, steps: length };
    const appended = (report?: ParametrizeReport): Outcome => {
      const now = this.kinds();
      if (report?.registered.length === 0) return { kinds, given: 'originals' };
      return {
        kinds: [...kinds, now.at(-1)!],
        given: length === 0 ? { old: 0, steps: 1 } : 'originals',
      };
    };
    if (length === 0 && !['register', 'rule', 'step', 'undo'].includes(one.do)) return;
    switch (one.do) {
      case 'step':
        this.step();
        break;
      case 'register':
        this.change(one.do, () => {
          registerParametrization(layer, 'kernel', this.made(one));
          return appended();
        });
        break;
      case 'rule':
        this.change(one.do, () => {
          const apply = (host: tf.layers.Layer, tensor: string): void =>
            register({ host, name: tensor }, name, limit);
          const report = parametrize(model, [{ match: '**', apply: apply as never }]);
          this.report = report;
          return appended(report);
        });
        break;
      case 'undo': {
        const { report } = this;
        if (report === null) break;
        this.report = null;
        this.change(one.do, () => {
          report.undo();
          return null;
        });
        break;
      }
      case 'insert': {
        const index = one.at % (length + 1);
        this.change(`${one.do}${index === 0 ? ' at the start' : ''}`, () => {
          const map = this.made(one);
          insertParametrization(layer, 'kernel', map, { at: index });
          const given = index === 0 ? { old: 0, steps: 1 } : 'originals';
          return { kinds: spliced(kinds, index, 0, map.constructor.name), given };
        });
        break;
      }
      case 'replace':
        this.change(`${one.do}, ${keep}`, () => {
          const map = this.made(one);
          replaceParametrization(layer, 'kernel', at, map, { keep });
          const given = keep === 'value' ? { old: at + 1, steps: at + 1 } : keep;
          return { kinds: spliced(kinds, at, 1, map.constructor.name), given };
        });
        break;
      case 'remove':
        this.change(`${one.do}, ${keep}`, () => {
          removeParametrization(layer, 'kernel', at, { keep });
          return {
            kinds: spliced(kinds, at, 1),
            given: keep === 'value' ? { old: at + 1, steps: at } : keep,
          };
        });
        break;
      case 'reorder':
        this.change(length > 1 && at > 0 ? `${one.do}, ${keep}` : 'the same order', () => {
          const order = kinds.map((_, i) => (i + at) % length);
          reorderParametrizations(layer, 'kernel', order, { keep });
          return {
            kinds: order.map((i) => kinds[i]!),
            given: keep === 'value' && at > 0 ? all : 'originals',
          };
        });
        break;
      case 'recipe':
        this.change(one.do, () => {
          const recipe = JSON.stringify(recipeOf(model));
          removeParametrizations(layer, 'kernel');
          applyRecipe(model, recipe, { catalog });
          // Later steps are registered behind the first, on its original.
          return { kinds, given: { old: length, steps: 1 } };
        });
        break;
      case 'without':
        this.refusable(() =>
          without(model, { step: at }, () => {
            const skipped = { ...this.mirror, steps: spliced(this.mirror.steps, at, 1) };
            const wanted = tf.tidy(() => numbersOf(evaluate(skipped, false)));
            this.same('the value without a step', this.value(), wanted);
            this.count(one.do);
          }),
        );
    }
    this.compare(place);
  }

  end(): void {
    disposeMirror(this.mirror);
    this.x.dispose();
    this.model.dispose();
    for (const one of this.owned) one.dispose();
  }

  private change(what: string, action: () => Outcome | null): void {
    const { mirror } = this;
    const kinds = this.kinds();
    const before = this.value();
    let outcome: Outcome | null | undefined;
    this.refusable(() => {
      outcome = action();
      this.count(what);
    });
    if (outcome === undefined) {
      expect(this.kinds(), `the steps after a refused '${what}'`).toEqual(kinds);
      this.same(`the value after a refused '${what}'`, this.value(), before);
    } else if (outcome !== null) {
      expect(this.kinds(), what).toEqual(outcome.kinds);
      const steps = isParametrized(this.layer, 'kernel')
        ? [...parametrizationsOn(this.layer, 'kernel')].map(stepOf)
        : [];
      const wanted = this.wanted(outcome.given, steps);
      if (wanted !== null) this.same(`the value after '${what}'`, this.value(), wanted);
      for (const step of steps) step.dispose?.();
    }
    this.mirror = mirrorOf(this.place);
    disposeMirror(mirror);
  }

  /** The value that the reference as it was before has with new steps; null where roundings decide on it. */
  private wanted(given: Given, steps: readonly ReferenceStep[]): number[] | null {
    const { mirror } = this;
    const [value = null] = tf.tidy((): number[][] => {
      if (given === 'originals') return [numbersOf(evaluate({ ...mirror, steps: [...steps] }, false))];
      const kept = evaluate({ ...mirror, steps: mirror.steps.slice(0, given.old) }, false);
      const value = evaluateGiven(mirror, steps, given.steps, kept);
      return value === null ? [] : [numbersOf(value)];
    });
    return value;
  }

  /** The library and the reference have one value, one gradient, and the layer trains the originals. */
  private compare(place: EditedLayer['place']): void {
    const variables = variablesBelow(place);
    const trained = this.layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
    expect(trained.map(({ id }) => id)).toEqual(variables.map(({ id }) => id));
    const mine = leaves(this.mirror);
    const gradients = (of: readonly tf.Variable[], loss: () => tf.Scalar): number[] =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(loss, [...of]);
        return of.flatMap((variable) => numbersOf(grads[variable.name] ?? tf.zerosLike(variable)));
      });
    const ours = gradients(variables, () => this.loss());
    const theirs = gradientsNearest([this.mirror], ours, () =>
      gradients(mine, () => loss(tf.matMul(this.x, evaluate(this.mirror, false) as tf.Tensor2D))),
    );
    this.same('the gradients', ours, theirs);
  }

  private step(): void {
    const sgd = tf.train.sgd(0.3);
    sgd.minimize(() => this.loss(), false, variablesBelow(this.place));
    sgd.dispose();
    const { mirror } = this;
    this.mirror = mirrorOf(this.place);
    disposeMirror(mirror);
  }

  private loss(): tf.Scalar {
    return loss(this.model.apply(this.x) as tf.Tensor);
  }

  private made(one: Instruction) {
    // As a rule makes it on a dense layer: a norm for each unit.
    const map = one.map === 'weightNorm' ? new WeightNorm({ dim: 1 }) : mapOf(one, this.place)!;
    this.owned.push(map);
    return map;
  }

  private kinds(): string[] {
    if (!isParametrized(this.layer, 'kernel')) return [];
    return [...parametrizationsOn(this.layer, 'kernel')].map(({ constructor }) => constructor.name);
  }

  private value(): number[] {
    return tf.tidy(() => numbersOf(valueOf(this.layer, 'kernel')));
  }

  private same(what: string, actual: readonly number[], wanted: readonly number[]): void {
    expect(distanceOf(actual, wanted), `${what}: [${actual}], the reference has [${wanted}]`).toBeLessThan(
      1e-4,
    );
  }

  private count(what: string): void {
    this.performed.set(what, (this.performed.get(what) ?? 0) + 1);
  }

  /** Runs what the library may refuse with a code. */
  private refusable(action: () => void): void {
    try {
      action();
    } catch (error) {
      const { code } = error as { code?: string };
      // The originals of weight norm have other shapes than what another map needs.
      if (!['OPTION', 'RIGHT_INVERSE', 'CONFLICT', 'SHAPE', 'ORIGINAL_COUNT'].includes(code ?? ''))
        throw error;
    }
  }
}

const loss = (y: tf.Tensor): tf.Scalar => tf.mean(tf.sin(tf.add(y, tf.tensor1d([0.1, 0.2, -0.3]))));

describe('random edits of the chain of a layer', () => {
  it('have the values, gradients and trained weights of an uncached reference, and leak nothing', () => {
    const performed = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(instruction, { minLength: 4, maxLength: 20 }), (program) => {
        const before = tf.memory().numTensors;
        const edited = new EditedLayer(performed);
        try {
          for (const one of program) edited.execute(one);
        } finally {
          edited.end();
        }
        expect(tf.memory().numTensors, 'tensors that are left').toBe(before);
      }),
      { seed: Number(process.env['FC_SEED'] ?? 42), numRuns: 80 },
    );
    const wanted = ['register', 'rule', 'undo', 'recipe', 'without', 'insert', 'insert at the start'];
    for (const verb of ['replace', 'remove', 'reorder']) wanted.push(`${verb}, value`, `${verb}, originals`);
    expect(wanted.filter((what) => !performed.has(what))).toEqual([]);
  });
});
