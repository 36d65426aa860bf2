import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { dora, lora, nn } from '../../src/index.ts';
import * as catalog from '../../src/parametrizations/index.ts';
import { definitionOf } from '../../src/parametrize/definition.ts';
import { tensorOf } from '../nn/golden.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { disposeHosted, doraCases, hostOf, loraCases, parametersOf } from './adapterGolden.ts';
import {
  disposeHost,
  type EntryGolden,
  expectSameMap,
  type GoldenCase,
  goldenCases,
  optionsIn,
} from './entryGolden.ts';
import type { Entry } from './entryLaws.ts';
import { prepareBase } from './geotorchBase.ts';

const nameOf = (entry: Entry): string => definitionOf(entry)!.name;

/** The entries of the catalog that have a set. */
const entries = (Object.values(catalog) as unknown as Entry[]).filter(
  (one) => definitionOf(one)?.set !== undefined && Object.hasOwn(one, 'contains'),
);

/** The maps of GeoTorch that are those of this package. */
const sameMaps = new Set(
  ['Grassmannian', 'SO', 'Sphere', 'SphereEmbedded', 'Stiefel'].map((name) => `geotorch.${name}`),
);

const isSameMap = ({ by }: GoldenCase): boolean => !by.startsWith('geotorch.') || sameMaps.has(by);

/** These maps have the upper triangle. */
const upper: EntryGolden = { isSameMap: ({ options }) => options['lower'] === false };

/** What the golden numbers of an entry need. */
const special: Readonly<Record<string, EntryGolden>> = {
  symmetric: upper,
  skew: upper,
  // The exponential of this shape alone takes a fifth of the time; other entries have it.
  grassmannian: {
    isSameMap: ({ options }) => options['triv'] === 'cayley',
    options: ({ triv }) => ({ orthogonalMap: triv === 'expm' ? 'matrixExp' : 'cayley' }),
  },
};

/** The options that say which map it is, as text. */
const mapIn = ({ options }: GoldenCase): string =>
  JSON.stringify(Object.entries(options).filter(([, value]) => !['number', 'object'].includes(typeof value)));

/** The shapes that most cases have come first: a shader is compiled for each operation and shape. */
const preferred = ['3,3', '4,4', '3,4'];

const rankOf = ({ float64 }: GoldenCase): number => {
  const rank = preferred.indexOf(`${float64.value.shape}`);
  return rank < 0 ? preferred.length : rank;
};

/** One case of each map. */
function casesOf(entry: Entry): GoldenCase[] {
  const isSame = special[nameOf(entry)]?.isSameMap ?? isSameMap;
  const cases = (goldenCases[nameOf(entry)] ?? [])
    .filter((one) => one.originals !== undefined && isSame(one))
    .sort((a, b) => rankOf(a) - rankOf(b));
  return cases.filter((one) => cases.find((other) => mapIn(other) === mapIn(one)) === one);
}

const given = (entry: Entry, one: GoldenCase): object => optionsIn(entry, one.options);

describe.each(entries.map((entry) => [nameOf(entry), entry] as const))('%s', (name, entry) => {
  const cases = casesOf(entry);
  const of: EntryGolden = {
    options: (options) => optionsIn(entry, options),
    prepare: prepareBase,
    ...special[name],
  };
  it.runIf(cases.length > 0).each(cases.map((one) => [JSON.stringify(one.options), one] as const))(
    'has the values and gradients of torch: %s',
    // On webgl and webgpu in software, all are within the tolerances of cpu and wasm: 1e-5 and 1e-4 of the largest.
    (_, one) => expectSameMap(entry, one, of, [1]),
  );

  it('moves a random weight into its set', async () => {
    const [one = goldenCases[name]?.[0]] = cases;
    const shape = one?.float64.value.shape ?? [3, 3];
    const options = one === undefined ? {} : (special[name]?.options?.(one.options) ?? given(entry, one));
    nn.manualSeed(5);
    const host = { weight: tf.tidy(() => tf.variable(matrices([...shape]))) as tf.Tensor };
    (entry as unknown as (host: object, name: string, options: object) => object)(host, 'weight', options);
    const value = tf.tidy(() => tf.clone(host.weight));
    expect(await entry.contains(value, 1e-4, options as never)).toBe(true);
    value.dispose();
    disposeHost(host);
  });
});

describe.each([
  ['lora', lora, loraCases],
  ['dora', dora, doraCases],
] as const)('%s', (_, map, cases) => {
  it.each(
    cases.filter(({ kind }) => ['Linear', 'Embedding'].includes(kind)).map((one) => [one.kind, one] as const),
  )('has the values and gradients of torch: %s', (_, one) => {
    tf.tidy(() => {
      const hosted = hostOf(one);
      const { host } = hosted;
      (map as typeof lora)(host, 'weight', {
        rank: one.r,
        alpha: one.alpha,
        useRslora: one.use_rslora === true,
      });
      const parts = parametersOf(host);
      const wanted = 'detached' in one ? one.detached : one;
      const start = 'magnitude' in one ? one.magnitude : undefined;
      const [A, B, m] = [parts['lora_A']!, parts['lora_B']!, parts['lora_magnitude_vector']];
      A.assign(tensorOf(one.lora_A));
      B.assign(tensorOf(one.lora_B));
      if (start !== undefined) m!.assign(tensorOf(start));
      expect(host.weight).toBeAllClose(tensorOf(one.value), { absolute: 1e-5, relative: 1e-5 });
      const dy = tensorOf(one.dy);
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.mul(hosted.output(), dy)) as tf.Scalar,
        Object.values(parts),
      );
      expect(grads[A.name]!).toBeAllClose(tensorOf(wanted.d_lora_A), { absolute: 1e-4, relative: 1e-4 });
      expect(grads[B.name]!).toBeAllClose(tensorOf(wanted.d_lora_B), { absolute: 1e-4, relative: 1e-4 });
      disposeHosted(hosted);
    });
  });
});
