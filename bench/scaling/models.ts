import * as tf from '@tensorflow/tfjs';
import {
  applyRecipe,
  cached,
  clone,
  copyInto,
  describe,
  fold,
  freeze,
  groupOptimizer,
  nn,
  parametrize,
  recipeOf,
  removeParametrizations,
  symmetric,
  syncOptimizer,
  weightNorm,
  without,
} from '../../src/index.ts';
import { syncModel } from '../../src/layers/index.ts';
import { type Spread, spread } from '../measure/interleave.ts';
import { collectGarbage } from './collectGarbage.ts';

/** What is done with a model, in this order. */
type Steps = (time: <T>(name: string, step: () => T) => T, count: number) => void;

/** Kinds of models, and how many layers they have. */
export const models: Readonly<Record<string, { readonly counts: readonly number[]; readonly steps: Steps }>> =
  {
    'modules, Linear(2, 2)': { counts: [1000, 2500, 5000, 10_000], steps: modules },
    'modules by rules, Linear(2, 2)': { counts: [500, 1000, 2000, 4000], steps: byRules },
    // Chains of 5,000 are deeper than the stack of JavaScript, on which tfjs walks them.
    'tf.layers, dense of 2 units': { counts: [500, 1000, 2000], steps: layers },
  };

function modules(time: Parameters<Steps>[0], count: number): void {
  const layers = Array.from({ length: count }, () => new nn.Linear(2, 2));
  const model = time('new Sequential', () => new nn.Sequential(...layers));
  const adam = tf.train.adam(0.01);
  const x = tf.ones([1, 2]);
  const loss = () => tf.sum(model.call(x)) as tf.Scalar;
  const readAll = () => {
    for (const layer of layers) void layer.weight;
  };
  time('weightNorm', () => {
    for (const layer of layers) weightNorm(layer);
  });
  time('reading in a tidy', () => tf.tidy(readAll));
  time('reading twice in cached', () =>
    cached(() => {
      readAll();
      readAll();
    }),
  );
  time('forward', () => tf.dispose(model.call(x)));
  time('a step of Adam', () => adam.minimize(loss, false, model.parameters()));
  time('describe', () => String(describe(model)));
  const state = time('stateDict', () => model.stateDict());
  time('loadStateDict', () => model.loadStateDict(state));
  const copy = time('clone', () => clone(model));
  time('fold', () => fold(model));
  time('syncOptimizer', () => syncOptimizer(adam, model.parameters()));
  time('removeParametrizations', () => {
    for (const layer of copy as Iterable<nn.Module>) removeParametrizations(layer, 'weight');
  });
  time('dispose', () => model.dispose());
  copy.dispose();
  adam.dispose();
  x.dispose();
}

function byRules(time: Parameters<Steps>[0], count: number): void {
  const make = (): nn.Sequential =>
    new nn.Sequential(...Array.from({ length: count }, () => new nn.Linear(2, 2)));
  const [model, other] = [make(), make()];
  const rules = [
    { type: nn.Linear, apply: weightNorm },
    { match: '*', apply: symmetric },
  ] as const;
  time('parametrize, dry run', () => parametrize(model, rules, { dryRun: true }));
  const report = time('parametrize', () => parametrize(model, rules));
  time('parametrize again', () => parametrize(model, rules));
  time('describe', () => String(describe(model)));
  const recipe = time('recipeOf', () => recipeOf(model));
  const applied = time('applyRecipe', () =>
    applyRecipe(other, recipe, { catalog: { symmetric, weightNorm } }),
  );
  time('copyInto', () => copyInto(other, model, { decay: 0.9 }));
  time('without', () => without(model, { step: 'symmetric' }, () => undefined));
  time('freeze and unfreeze', () => freeze(model, { original: 'g' }).unfreeze());
  const adam = tf.train.adam(0.01);
  const groups = time('groupOptimizer', () => groupOptimizer(model, [{ optimizer: adam }]));
  time('undo', () => report.undo());
  time('fold', () => fold(other));
  applied.undo();
  groups.dispose();
  for (const each of [model, other]) each.dispose();
}

function layers(time: Parameters<Steps>[0], count: number): void {
  const layers = Array.from({ length: count }, () => tf.layers.dense({ units: 2, inputShape: [2] }));
  const model = time('tf.sequential', () => tf.sequential({ layers }));
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
  const x = tf.ones([1, 2]);
  time('weightNorm', () => {
    for (const layer of layers) weightNorm(layer);
  });
  time('predict', () => tf.dispose(model.predict(x)));
  time('describe', () => String(describe(model)));
  time('syncModel', () => syncModel(model));
  time('fold', () => fold(model));
  model.dispose();
  x.dispose();
}

/** What one thing costs, by the number of layers. */
export interface StepCost {
  readonly name: string;
  /** Microseconds of processor time per layer. */
  readonly perLayer: readonly Spread[];
  /** How many times as long per layer the largest model takes as the smallest, round by round. */
  readonly growth: Spread;
}

/**
 * The costs of one kind of model. All sizes in turns, each round on new models; in processor time, because it is not short
 * enough to be repeated until other programs pause.
 */
export async function modelCosts(kind: string, rounds: number): Promise<StepCost[]> {
  await tf.setBackend('cpu');
  const { counts, steps } = models[kind]!;
  const times = new Map<string, number[][]>();
  // The first round is not counted: code is compiled.
  for (let round = -1; round < rounds; round++) {
    for (const [i, count] of round % 2 === 0 ? [...counts.entries()] : [...counts.entries()].reverse()) {
      const time = <T>(name: string, step: () => T): T => {
        const start = process.cpuUsage();
        const result = step();
        if (round < 0) return result;
        const own = times.get(name) ?? counts.map(() => []);
        times.set(name, own);
        const { user, system } = process.cpuUsage(start);
        own[i]![round] = (user + system) / count;
        return result;
      };
      steps(time, count);
      collectGarbage();
    }
  }
  return Array.from(times, ([name, own]) => ({
    name,
    perLayer: own.map(spread),
    growth: spread(own.at(-1)!.map((time, round) => time / own[0]![round]!)),
  }));
}
