import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { converted } from '../../src/checkpoint/convert/converted.ts';
import { openCheckpoint } from '../../src/checkpoint/file/openCheckpoint.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/checkpoint/index.ts';
import {
  applyRecipe,
  type CatalogFunction,
  clone,
  fold,
  nn,
  type Parametrization,
  parametrizationsOn,
  recipeOf,
  removeParametrizations,
  type SetFunctions,
  valueOf,
} from '../../src/index.ts';
import '../../src/layers/index.ts';
import { definitionOf } from '../../src/parametrize/definition.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { disposeOptimizer, optimizers } from '../parametrize/laws/specimens.ts';
import { peakOf } from '../peakMemory.ts';
import { flatten } from '../toBeAllClose.ts';

/** An entry of the catalog with a set. */
export type Entry = CatalogFunction<never> & SetFunctions<never>;

/** A shape and options of an entry. */
interface EntryCase {
  readonly shape: readonly number[];
  readonly options?: object;
}

/** What the laws need to know about an entry. */
export interface EntryLaws {
  /** The shapes and options; at least one shape is a matrix. */
  readonly cases: readonly EntryCase[];
  /** The largest change of a value of the set at its registration, relative to the largest element. Default 1e-5. */
  readonly kept?: number;
  /** False if the map does not reach every value of the set, so that a registration moves some. Default true. */
  readonly isOnto?: boolean;
  /** The tolerance of membership after any registration and training. Default 1e-4. */
  readonly tolerance?: number;
  /** The magnitudes of values that are moved into the set. Default: from 1e-18 to 1e18. */
  readonly magnitudes?: readonly number[];
  /**
   * The orders of gradients in the first case; the others have the first order only. Default: first and second. None
   * for a map whose gradient is not that of its formula.
   */
  readonly orders?: number[];
  /** The options for a matrix of another shape, if those of the cases depend on the shape. */
  optionsFor?(shape: readonly number[]): object;
  /** True if the map checks for room itself, so that its definition has no number of copies; another test has it. */
  readonly checksRoom?: boolean;
}

interface Host {
  weight: tf.Tensor;
}

const hostOf = (make: () => tf.Tensor): Host => ({ weight: tf.tidy(() => tf.variable(make())) });

const disposeHost = (host: Host, name: keyof Host = 'weight'): void => {
  removeParametrizations(host, name);
  host[name].dispose();
};

const texts = ({ shape, options }: EntryCase): string =>
  `[${shape}]${options ? ` ${JSON.stringify(options)}` : ''}`;

const numbersOf = (host: Host): number[] => tf.tidy(() => flatten(host.weight));

/** The bytes of the checkpoint of a model. */
async function fileOf(model: object): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk.slice()) });
  await saveCheckpoint(model as nn.Module, stream);
  return Buffer.concat(chunks);
}

/** Values outside of most sets, of one magnitude. */
const awkward = (shape: number[], magnitude: number): Record<string, tf.Tensor> => ({
  normal: tf.mul(matrices(shape), magnitude),
  zero: tf.zeros(shape),
  ones: tf.fill(shape, magnitude),
  negative: tf.fill(shape, -magnitude),
});

/**
 * Tests the laws of an entry of the catalog with a set: membership, kept values, gradients, training, removal, files,
 * recipes and copies, in nn and tf.layers.
 */
export function describeEntryLaws(entry: Entry, laws: EntryLaws): void {
  const {
    cases,
    isOnto = true,
    kept = 1e-5,
    tolerance = 1e-4,
    magnitudes = [1e-18, 1, 1e18],
    orders = [1, 2],
  } = laws;
  const definition = definitionOf(entry)!;
  const { name } = definition;
  const register = (host: object, tensor: string | undefined, { options = {} }: EntryCase): object =>
    (entry as (host: object, name: string | undefined, options: object) => object)(host, tensor, options);
  const contains = async (
    value: tf.Tensor,
    { options = {} }: EntryCase,
    accepted = tolerance,
  ): Promise<boolean> => await entry.contains(value, accepted, options as never);
  const sampled = ({ shape, options = {} }: EntryCase): tf.Tensor => entry.sample(shape, options as never);
  const all = cases.map((one) => [texts(one), one] as const);
  const matrix = cases.find(({ shape }) => shape.length === 2)!;

  describe(`${name}, by its laws`, () => {
    it.each(all)('%s: samples belong to the set and follow the seed', async (_, one) => {
      const drawn = [7, 7, 8].map((seed) => {
        nn.manualSeed(seed);
        return sampled(one);
      });
      expect(drawn[0]!.shape).toEqual([...one.shape]);
      for (const value of drawn) expect(await contains(value, one)).toBe(true);
      const [first, same] = drawn.map((value) => flatten(value));
      expect(same).toEqual(first);
      tf.dispose(drawn);
    });

    it.runIf(isOnto).each(all)(
      '%s: a registration keeps a value of the set, and an assignment gives it',
      (_, one) => {
        nn.manualSeed(3);
        const [value, other] = [sampled(one), sampled(one)];
        const host = hostOf(() => value);
        register(host, 'weight', one);
        const scale = (x: tf.Tensor): number => Math.max(...flatten(x).map(Math.abs), 1e-30);
        inTidy(() => {
          expect(host.weight).toBeAllClose(value, { relative: 0, absolute: kept * scale(value) });
          host.weight = other;
          expect(host.weight).toBeAllClose(other, { relative: 0, absolute: kept * scale(other) });
        });
        disposeHost(host);
        tf.dispose([value, other]);
      },
    );

    it.each(all)('%s: a registration moves any value into the set', async (_, one) => {
      for (const magnitude of magnitudes) {
        nn.manualSeed(4);
        const values = tf.tidy(() => awkward([...one.shape], magnitude));
        for (const [kind, value] of Object.entries(values)) {
          const host = hostOf(() => value);
          register(host, 'weight', one);
          const moved = tf.tidy(() => tf.clone(host.weight));
          expect(await contains(moved, one), `${kind} of ${magnitude}: ${flatten(moved).slice(0, 9)}`).toBe(
            true,
          );
          moved.dispose();
          disposeHost(host);
        }
        tf.dispose(values);
      }
    });

    it('refuses values that are not finite, and tensors without data', async () => {
      const value = tf.tidy(() => tf.mul(sampled(matrix), Number.NaN));
      expect(await contains(value, matrix)).toBe(false);
      value.dispose();
      await expect(contains(value, matrix)).rejects.toMatchObject({ code: 'DISPOSED' });
    });

    it.runIf(orders.length > 0).each(all)('%s: has the gradients of central differences', (_, one) => {
      nn.manualSeed(5);
      const host = hostOf(() => sampled(one));
      register(host, 'weight', one);
      expectGradients(
        () => host.weight,
        parametrizationsOn(host, 'weight')
          .ownVariables()
          .filter(({ trainable }) => trainable),
        one === cases[0] ? orders : [1],
      );
      disposeHost(host);
    });

    it('stays in the set under every optimizer', async () => {
      for (const [optimizerName, make] of Object.entries(optimizers)) {
        nn.manualSeed(6);
        const host = hostOf(() => sampled(matrix));
        register(host, 'weight', matrix);
        const target = tf.tidy(() => matrices([...matrix.shape]));
        const optimizer = make();
        const before = numbersOf(host);
        const variables = parametrizationsOn(host, 'weight')
          .ownVariables()
          .filter(({ trainable }) => trainable);
        for (let step = 0; step < 10; step++) {
          optimizer.minimize(() => tf.mean(tf.squaredDifference(host.weight, target)), false, variables);
        }
        const value = tf.tidy(() => tf.clone(host.weight));
        expect(await contains(value, matrix), `${optimizerName}: ${flatten(value).slice(0, 9)}`).toBe(true);
        expect(flatten(value)).not.toEqual(before);
        tf.dispose([value, target]);
        disposeOptimizer(optimizer);
        disposeHost(host);
      }
    });

    it.runIf(!laws.checksRoom)('holds as many copies of its weight at once as the definition says', () => {
      const { copies = 4 } = definition;
      for (const n of [16, 64]) {
        const shape = cases.every(({ shape }) => shape.at(-1) === shape.at(-2)) ? [n, n] : [n, 4];
        const host = hostOf(() => matrices(shape));
        const { bytes } = peakOf(() => {
          register(host, 'weight', { shape, options: laws.optionsFor?.(shape) ?? matrix.options ?? {} });
          const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(host.weight)));
          tf.dispose([value, grads]);
        });
        expect(bytes / (4 * tf.util.sizeFromShape(shape))).toBeLessThanOrEqual(copies);
        disposeHost(host);
      }
    });

    it('gives the variable back at removal, with the value', () => {
      const host = hostOf(() => sampled(matrix));
      const { weight } = host;
      const descriptor = Object.getOwnPropertyDescriptor(host, 'weight');
      const { name: variableName, trainable } = weight as tf.Variable;
      register(host, 'weight', matrix);
      const value = numbersOf(host);
      removeParametrizations(host, 'weight');
      expect(numbersOf(host)).toEqual(value);
      expect({ ...Object.getOwnPropertyDescriptor(host, 'weight'), value: null }).toEqual({
        ...descriptor,
        value: null,
      });
      expect((host.weight as tf.Variable).name).toBe(variableName);
      expect((host.weight as tf.Variable).trainable).toBe(trainable);
      host.weight.dispose();
    });

    it('is copied, saved, loaded by its recipe and folded, live and from a file', async () => {
      const [rows, columns] = matrix.shape as [number, number];
      const layer = (): nn.Sequential => new nn.Sequential(new nn.Linear(columns, rows, { bias: false }));
      const model = layer();
      const weight = tf.tidy(() => sampled(matrix));
      ((model[0] as nn.Linear).weight as tf.Variable).assign(weight);
      register(model[0]!, 'weight', matrix);
      const value = numbersOf(model[0] as nn.Linear);
      const near = (other: Host): void => {
        const scale = Math.max(...value.map(Math.abs), 1e-30);
        inTidy(() => expect(other.weight).toBeAllClose(value, { relative: 0, absolute: 1e-6 * scale }));
      };
      const copy = clone(model);
      near(copy[0] as nn.Linear);
      const recipe = recipeOf(model);
      expect(recipe.parametrizations[0]!.steps[0]!.kind).toBe(name);
      const catalog = { [name]: entry };
      const file = await fileOf(model);
      const loaded = layer();
      expect((await loadCheckpoint(loaded, file, { catalog })).registered).toEqual(['0.weight']);
      near(loaded[0] as nn.Linear);
      expect(recipeOf(loaded)).toEqual(recipe);
      const again = layer();
      applyRecipe(again, JSON.stringify(recipe), { catalog });
      expect(recipeOf(again)).toEqual(recipe);
      const opened = await openCheckpoint('test', file);
      const folded = await converted(opened, { keyFormat: 'folded' }).get('0.weight')!.read();
      await opened.close();
      expect([...(folded.data as Float32Array)]).toBeAllClose(value, {
        relative: 0,
        absolute: 1e-6 * Math.max(...value.map(Math.abs), 1e-30),
      });
      expect(fold(model)).toEqual(['0.weight']);
      expect(numbersOf(model[0] as nn.Linear)).toEqual(value);
      for (const one of [model, copy, loaded, again]) one.dispose();
      weight.dispose();
    });

    it('works on tf.layers: trains in fit, saves, loads and folds', async () => {
      const [rows, columns] = matrix.shape as [number, number];
      const make = (): tf.Sequential =>
        tf.sequential({ layers: [tf.layers.dense({ units: columns, useBias: false, inputShape: [rows] })] });
      const model = make();
      const weight = tf.tidy(() => sampled(matrix));
      model.layers[0]!.setWeights([weight]);
      register(model.layers[0]!, 'kernel', matrix);
      model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
      const [x, y] = tf.tidy(() => [matrices([4, rows]), matrices([4, columns])]) as [tf.Tensor, tf.Tensor];
      await model.fit(x, y, { epochs: 2, verbose: 0 });
      const value = tf.tidy(() => tf.clone(valueOf(model.layers[0]!, 'kernel')));
      const map = parametrizationsOn(model.layers[0]!, 'kernel')[0] as Parametrization;
      expect(await map.contains(value, tolerance)).toBe(true);
      const file = await fileOf(model);
      const loaded = make();
      await loadCheckpoint(loaded, file, { catalog: { [name]: entry } });
      const close = { relative: 0, absolute: 1e-6 * Math.max(...flatten(value).map(Math.abs), 1e-30) };
      inTidy(() => expect(valueOf(loaded.layers[0]!, 'kernel')).toBeAllClose(value, close));
      fold(model);
      inTidy(() => expect(model.layers[0]!.getWeights()[0]!).toBeAllClose(value, close));
      tf.dispose([x, y, value, weight]);
      model.optimizer.dispose();
      for (const one of [model, loaded]) one.dispose();
    });
  });
}
