import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { dora, lora, nn, type Prune, parametrizationsOn, prune } from '../../src/index.ts';
import { fakeQuantizeOp } from '../../src/ops/fakeQuantize.ts';
import * as catalog from '../../src/parametrizations/index.ts';
import { definitionOf } from '../../src/parametrize/definition.ts';
import finetune from '../golden/finetune.json' with { type: 'json' };
import pruning from '../golden/prune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { parseNumber } from '../toBeAllClose.ts';
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
import { prepareBase, thinOriginals } from './geotorchBase.ts';

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
    ...(thinOriginals[name] && { toOriginal: thinOriginals[name] }),
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

describe('prune', () => {
  interface PruneCase {
    readonly module: string;
    readonly weight: GoldenTensor;
    readonly steps: readonly {
      readonly verb: string;
      readonly amount: number;
      readonly amount_is: string;
      readonly dim?: number;
      readonly n?: number | string;
      readonly mask: GoldenTensor;
    }[];
    readonly value: GoldenTensor;
    readonly dy: GoldenTensor;
    readonly d_orig: GoldenTensor;
  }

  const cases = (pruning.cases as unknown as readonly PruneCase[]).filter(
    ({ module, steps }) =>
      module === 'Linear' && steps.every(({ verb }) => /^l[1n]_/.test(verb) && !/scores/.test(verb)),
  );
  // One of each kind: a shader is compiled for each operation and shape.
  const chosen = ['l1_unstructured', 'ln_structured', 'l1_unstructured,l1_unstructured,l1_unstructured'].map(
    (verbs) => cases.find(({ steps }) => `${steps.map(({ verb }) => verb)}` === verbs)!,
  );

  it.each(chosen.map((one) => [one.steps.map(({ verb }) => verb).join(' then '), one] as const))(
    'has the masks, the value and the gradient of torch: %s',
    async (_, { weight, steps, value, dy, d_orig }) => {
      const host = { weight: tf.tidy(() => tf.variable(tensorOf(weight))) as tf.Tensor };
      const original = host.weight as tf.Variable;
      for (const { amount, amount_is: unit, dim, n, mask } of steps) {
        const more = { ...(dim !== undefined && { dim }), ...(n !== undefined && { norm: parseNumber(n) }) };
        prune(host, 'weight', { [unit]: amount, ...more });
        const found = await (parametrizationsOn(host, 'weight')[0] as Prune).mask.data();
        expect([...found]).toEqual(mask.data);
      }
      const [W, gradient] = tf.tidy(() => {
        const { grads } = tf.variableGrads(() => tf.sum(tf.mul(host.weight, tensorOf(dy))), [original]);
        return [tf.clone(host.weight), grads[original.name]!];
      });
      // Products with 0 and 1 are exact.
      expect([...(await W!.data())].map((x) => x + 0)).toEqual(float32(value));
      expect([...(await gradient!.data())].map((x) => x + 0)).toEqual(float32(d_orig));
      tf.dispose([W, gradient]);
      disposeHost(host);
    },
  );

  it('keeps 2 of 4', async () => {
    const { weight, n, m, dim, mask } = pruning.n_of_m[0]!;
    const host = { weight: tf.tidy(() => tf.variable(tensorOf(weight as GoldenTensor))) as tf.Tensor };
    prune(host, 'weight', { nOfM: [n, m], dim });
    expect([...(await (parametrizationsOn(host, 'weight')[0] as Prune).mask.data())]).toEqual(mask.data);
    disposeHost(host);
  });
});

/** The numbers of a golden tensor; −0 becomes 0. */
const float32 = ({ data }: GoldenTensor): number[] =>
  [...Float32Array.from(data.map(parseNumber))].map((x) => x + 0);

describe('fakeQuantize', () => {
  interface Rounded {
    readonly x: GoldenTensor;
    readonly scale: number;
    readonly zero_point: number;
    readonly quant_min: number;
    readonly quant_max: number;
    readonly y: GoldenTensor;
    readonly dy: GoldenTensor;
    readonly dx: GoldenTensor;
  }
  const { per_tensor: cases } = finetune.quantize as unknown as { per_tensor: Rounded[] };
  const numbersOf = async (tensor: tf.Tensor): Promise<number[]> => {
    const data = await tensor.data();
    tensor.dispose();
    return [...data].map((x) => x + 0);
  };

  const rounded = ({ data }: GoldenTensor): number[] => data.map((x) => Math.fround(parseNumber(x)) + 0);

  it.each(cases.map((one) => [`${one.scale}, [${one.quant_min}, ${one.quant_max}]`, one] as const))(
    'rounds halves to the even integer, as torch does: scale %s',
    async (_, one) => {
      const range = [one.quant_min, one.quant_max] as const;
      const run = (): [tf.Tensor, tf.Tensor] => {
        const grid = { scale: tf.tensor1d([one.scale]), zeroPoint: tf.tensor1d([one.zero_point]), range };
        const f = (x: tf.Tensor): tf.Tensor => fakeQuantizeOp(x, grid);
        const x = tensorOf(one.x);
        return [f(x), tf.grad(f)(x, tensorOf(one.dy))];
      };
      const [y, dx] = tf.tidy(run);
      expect(await numbersOf(y)).toEqual(rounded(one.y));
      expect(await numbersOf(dx)).toEqual(rounded(one.dx));
    },
  );
});
