/**
 * How far training takes a weight out of the set of its map: 100 steps of every optimizer of tfjs and 10,000 steps of
 * Adam, on a weight of 8 × 8 for every map of the catalog that has a set. The loss is the distance to a random matrix,
 * mostly outside of the set, and every 100 steps it is another one.
 *
 *     npm run catalog:drift                              the table of docs/catalog.md
 *     npm run catalog:drift -- --only orthogonal sphere --steps 1000 --backend wasm
 */
import { setImmediate } from 'node:timers/promises';
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { Command, InvalidArgumentError } from 'commander';
import { catalog, nn, type Parametrization, parametrizationsOn } from '../src/index.ts';
import { definitionOf } from '../src/parametrize/definition.ts';
import { catalogCases, layerFor } from '../test/parametrizations/catalogCases.ts';
import { disposeOptimizer, optimizers } from '../test/parametrize/laws/specimens.ts';

/** The tolerances that are tried in this order; the first that accepts a value is its violation. */
const tolerances = [0, 1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2];

/** Every so many steps the target changes and the value is examined. */
const PERIOD = 100;

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a number from 1 on');
  return value;
};

const options = new Command('catalog:drift')
  .option('--only <words...>', 'the maps whose names have one of the words', [''])
  .option('--steps <n>', 'steps of Adam', whole, 10_000)
  .option('--backend <name>', 'cpu or wasm', 'cpu')
  .parse()
  .opts<{ only: string[]; steps: number; backend: string }>();

/** Returns the smallest tolerance with which the set of the map has the value; infinity if there is none. */
async function violationOf(map: Parametrization, value: tf.Tensor): Promise<number> {
  for (const tolerance of tolerances) {
    if (await map.contains(value, tolerance)) return tolerance;
  }
  return Number.POSITIVE_INFINITY;
}

interface Drift {
  readonly violation: number;
  readonly isFinite: boolean;
}

/** Trains a weight with the map, and returns the largest violation among the values after each period. */
async function drift(name: string, makeOptimizer: () => tf.Optimizer, steps: number): Promise<Drift> {
  nn.manualSeed(1);
  const layer = layerFor(name, 8);
  catalogCases[name]!(layer);
  const map = parametrizationsOn(layer, 'weight')[0] as Parametrization;
  const optimizer = makeOptimizer();
  const variables = layer.parameters().filter(({ trainable }) => trainable);
  const result = { violation: 0, isFinite: true };
  for (let done = 0; done < steps; done += PERIOD) {
    const target = tf.randomNormal(layer.weight.shape, 0, 1, 'float32', done + 1);
    for (let step = 0; step < Math.min(PERIOD, steps - done); step++) {
      optimizer.minimize(() => tf.mean(tf.squaredDifference(layer.weight, target)), false, variables);
    }
    const value = tf.tidy(() => tf.clone(layer.weight));
    result.isFinite &&= (await value.data()).every(Number.isFinite);
    result.violation = Math.max(result.violation, await violationOf(map, value));
    tf.dispose([value, target]);
    // Only between tasks is what a weak reference has pointed to released.
    await setImmediate();
  }
  disposeOptimizer(optimizer);
  layer.dispose();
  return result;
}

const text = ({ violation, isFinite }: Drift): string => {
  if (!isFinite) return 'not finite';
  if (violation === 0) return '0';
  return Number.isFinite(violation) ? violation.toExponential(0) : `above ${tolerances.at(-1)}`;
};

await tf.setBackend(options.backend);
const entries = Object.entries(catalog).filter(([, entry]) => definitionOf(entry)?.set);
let isInSet = true;
process.stdout.write(`| map | ${PERIOD} steps of each optimizer | ${options.steps} steps of Adam |\n`);
process.stdout.write('| --- | --- | --- |\n');
for (const [entry] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
  const cases = Object.keys(catalogCases).filter((name) => name.split(', ')[0] === entry);
  if (cases.length === 0) throw new Error(`catalogCases.ts has no case of ${entry}.`);
  for (const name of cases.filter((name) => options.only.some((word) => name.includes(word)))) {
    const short = { violation: 0, isFinite: true };
    for (const make of Object.values(optimizers)) {
      const { violation, isFinite } = await drift(name, make, PERIOD);
      short.violation = Math.max(short.violation, violation);
      short.isFinite &&= isFinite;
    }
    const long = await drift(name, optimizers['adam']!, options.steps);
    for (const one of [short, long]) isInSet &&= one.isFinite && Number.isFinite(one.violation);
    const label = name
      .split(', ')
      .map((part) => `\`${part}\``)
      .join(', ');
    process.stdout.write(`| ${label} | ${text(short)} | ${text(long)} |\n`);
  }
}
process.exitCode = isInSet ? 0 : 1;
