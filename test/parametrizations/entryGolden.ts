import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { nn, type Parametrization, parametrizationsOn } from '../../src/index.ts';
import { definitionOf } from '../../src/parametrize/definition.ts';
import golden from '../golden/catalog.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import type { Entry } from './entryLaws.ts';

/** The numbers of a case in one precision. */
interface Numbers {
  readonly value: GoldenTensor;
  readonly gradOriginals: readonly GoldenTensor[];
  readonly secondGradOriginals?: readonly GoldenTensor[];
}

/** A case of the golden file; test/golden/README.md describes it. */
export interface GoldenCase {
  readonly by: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly originals: readonly GoldenTensor[];
  readonly gradValue: GoldenTensor;
  readonly secondDirection?: GoldenTensor;
  readonly base?: GoldenTensor;
  readonly bases?: Readonly<Record<string, GoldenTensor>>;
  readonly float64: Numbers;
}

/** What the golden tests need to know about an entry. */
export interface EntryGolden {
  /** The name in the file. Default: the name of the entry. */
  readonly name?: string;
  /** The options of the entry for those of a case. Default: the same. */
  options?(options: Readonly<Record<string, unknown>>): object;
  /** True if the case has the same map. Else its value is a member of the same set. Default: not by GeoTorch. */
  isSameMap?(one: GoldenCase): boolean;
  /** Writes the buffers of the map, such as a base, in a tidy. */
  prepare?(map: Parametrization, one: GoldenCase): void;
  /** Turns an original of a case into that of the map, where the two differ by an orthogonal change of coordinates. */
  toOriginal?(given: tf.Tensor, one: GoldenCase, index: number): tf.Tensor;
  /** The largest error of a gradient, relative to the largest element. Default 1e-4. */
  readonly gradient?: number;
  /** The largest error of a value, relative to the largest element. Default 1e-5. */
  readonly value?: number;
  /** The largest change of a member of the set at its assignment, relative to the largest element. Default: `value`. */
  readonly kept?: number;
  /** The name of the set in the file. Default: the name of the entry. */
  readonly set?: string;
  /**
   * The largest difference between a value that was moved and the nearest of the set, relative to the largest element of
   * the value before. Default: it only belongs to the set.
   */
  readonly nearest?: number;
}

interface Host {
  weight: tf.Tensor;
}

/** A value in no set, its nearest value in one, and a value in one. */
interface Outside {
  readonly set: string;
  readonly given: GoldenTensor;
  readonly nearest: GoldenTensor;
  readonly [option: string]: unknown;
}

interface Inside {
  readonly set: string;
  readonly value: GoldenTensor;
  readonly [property: string]: unknown;
}

/** The cases by the name of their entry. */
export const goldenCases = golden.entries as unknown as Readonly<Record<string, readonly GoldenCase[]>>;

/** The properties of a case that are options of an entry. */
export const optionsIn = (entry: Entry, one: object): object => {
  const { options } = definitionOf(entry)!;
  return Object.fromEntries(Object.entries(one).filter(([name]) => Object.hasOwn(options, name)));
};

/** The cases of values outside of a set. */
export const outsideOf = (set: string): Outside[] =>
  (goldenCases['outside'] as unknown as Outside[]).filter((one) => one.set === set);

/** The cases of values of a set. */
export const insideOf = (set: string): Inside[] =>
  (goldenCases['inside'] as unknown as Inside[]).filter((one) => one.set === set);

const largestIn = (x: tf.Tensor): number => Math.max(...flatten(x).map(Math.abs), 1e-30);

/**
 * Compares a tensor with a golden one.
 *
 * @param tolerance - relative to the largest number of `scale`
 */
function expectNear(
  actual: tf.Tensor,
  wanted: GoldenTensor | tf.Tensor,
  tolerance: number,
  scale: GoldenTensor | tf.Tensor = wanted,
): void {
  const [numbers, size] = [wanted, scale].map((x) => (x instanceof tf.Tensor ? x : tensorOf(x))) as [
    tf.Tensor,
    tf.Tensor,
  ];
  expect(actual).toBeAllClose(numbers, { relative: 0, absolute: tolerance * largestIn(size) });
}

/** Registers an entry on a weight of the shape of a case. */
export function registered(entry: Entry, shape: readonly number[], options: object): Host {
  nn.manualSeed(9);
  const host: Host = { weight: tf.tidy(() => tf.variable(entry.sample(shape, options as never))) };
  (entry as unknown as (host: object, name: string, options: object) => object)(host, 'weight', options);
  return host;
}

/** Frees a host with a parametrized weight. */
export function disposeHost(host: object): void {
  (host as { parametrizations: { dispose(): void } }).parametrizations.dispose();
}

/**
 * Compares the value and the gradients of a map with those of a case of the same map.
 *
 * @param orders - the orders of the gradients that are compared
 */
export function expectSameMap(entry: Entry, one: GoldenCase, of: EntryGolden, orders = [1, 2]): void {
  const { value = 1e-5, gradient = 1e-4, options = (given) => given } = of;
  const toOriginal = (given: GoldenTensor, index: number): tf.Tensor => {
    const tensor = tensorOf(given);
    return of.toOriginal?.(tensor, one, index) ?? tensor;
  };
  const host = registered(entry, one.float64.value.shape, options(one.options));
  const list = parametrizationsOn(host, 'weight');
  const originals = list.originalNames.map((original) => list[original as 'original']!);
  inTidy(() => {
    for (const [i, variable] of originals.entries()) variable.assign(toOriginal(one.originals[i]!, i));
    of.prepare?.(list[0] as Parametrization, one);
    expectNear(host.weight, one.float64.value, value);
    const dW = tensorOf(one.gradValue);
    const weighted = (): tf.Scalar => tf.sum(tf.mul(host.weight, dW));
    const { grads } = tf.variableGrads(weighted, originals);
    for (const [i, variable] of originals.entries()) {
      expectNear(grads[variable.name]!, toOriginal(one.float64.gradOriginals[i]!, i), gradient);
    }
    const { secondGradOriginals: second } = one.float64;
    if (!orders.includes(2) || one.secondDirection === undefined || second === undefined) return;
    const u = toOriginal(one.secondDirection, 0);
    const along = (): tf.Scalar => {
      const first = tf.grads(() => weighted())(originals)[0]!;
      return tf.sum(tf.mul(first, u));
    };
    const found = tf.engine().gradients(along, originals, undefined, true).grads as (tf.Tensor | null)[];
    for (const [i, variable] of originals.entries()) {
      expectNear(found[i] ?? tf.zerosLike(variable), toOriginal(second[i]!, i), 10 * gradient);
    }
  });
  disposeHost(host);
}

/** Compares an entry with the golden cases of the same map, and its set with the values of other maps of the set. */
export function describeEntryGolden(entry: Entry, of: EntryGolden = {}): void {
  const { name } = definitionOf(entry)!;
  const { value = 1e-5, kept = value, options = (given) => given } = of;
  const isSameMap = of.isSameMap ?? (({ by }) => !by.startsWith('geotorch.'));
  const cases = goldenCases[of.name ?? name]!.filter(({ originals }) => originals !== undefined);
  const label = ({ by, options: given, float64 }: GoldenCase): string =>
    `${by} ${JSON.stringify(given)} [${float64.value.shape}]`;

  describe(`${name}, by the numbers of torch`, () => {
    it.each(cases.filter(isSameMap).map((one) => [label(one), one] as const))('%s', (_, one) =>
      expectSameMap(entry, one, of),
    );

    const members = cases.filter((one) => !isSameMap(one));
    it.runIf(members.length > 0).each(members.map((one) => [label(one), one] as const))(
      '%s is a member, and kept',
      async (_, one) => {
        const member = tensorOf(one.float64.value);
        expect(await entry.contains(member, 1e-4, options(one.options) as never)).toBe(true);
        const host = registered(entry, member.shape, options(one.options));
        host.weight = member;
        inTidy(() => expectNear(host.weight, one.float64.value, value));
        disposeHost(host);
        member.dispose();
      },
    );

    const inside = insideOf(of.set ?? name).map((one, i) => [`${i}`, one] as const);
    it.runIf(inside.length > 0).each(inside)('member %s of the set is one, and kept', async (_, one) => {
      const given = optionsIn(entry, one);
      const member = tensorOf(one.value);
      expect(await entry.contains(member, 1e-4, given as never)).toBe(true);
      const host = registered(entry, member.shape, given);
      host.weight = member;
      inTidy(() => expectNear(host.weight, one.value, kept));
      disposeHost(host);
      member.dispose();
    });

    const outside = outsideOf(of.set ?? name).map((one, i) => [`${i}`, one] as const);
    it.runIf(outside.length > 0).each(outside)(
      'value %s outside of the set moves into it',
      async (_, one) => {
        const given = optionsIn(entry, one);
        const value = tensorOf(one.given);
        expect(await entry.contains(value, 1e-4, given as never)).toBe(false);
        const host = registered(entry, value.shape, given);
        host.weight = value;
        const moved = tf.tidy(() => tf.clone(host.weight));
        expect(await entry.contains(moved, 1e-4, given as never)).toBe(true);
        inTidy(() => {
          if (of.nearest !== undefined) expectNear(moved, one.nearest, of.nearest, one.given);
        });
        disposeHost(host);
        tf.dispose([value, moved]);
      },
    );
  });
}
