import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { nn, type Parametrization, parametrizationsOn, removeParametrizations } from '../../src/index.ts';
import * as catalog from '../../src/parametrizations/index.ts';
import { definitionOf } from '../../src/parametrize/definition.ts';
import type { Step } from '../measure/tfjsContestant.ts';

/** A map of the catalog with options. */
export interface Entry {
  /** The name of the map, and which way if there are several. */
  readonly title: string;
  /**
   * Registers it on a matrix.
   *
   * @throws ParametrizeError `SHAPE` if it does not take matrices of this shape
   */
  register(host: { readonly weight: Tensor }): void;
}

/** Options other than the defaults, by the map: what a map needs, and one row for each of several ways. */
const optionsOf: Readonly<Record<string, Readonly<Record<string, object | ((shape: number[]) => object)>>>> =
  {
    kronecker: {
      '': ([m, n]: number[]) => ({
        shapes: [
          [2, 2],
          [m! / 2, n! / 2],
        ],
      }),
    },
    lowRank: { '': { rank: 16 } },
    fixedRank: { '': { rank: 16 } },
    interval: { '': { min: -2, max: 2 } },
    orthogonal: Object.fromEntries(
      ['matrixExp', 'cayley', 'householder', 'polar'].map((orthogonalMap) => [
        `, ${orthogonalMap}`,
        { orthogonalMap },
      ]),
    ),
  };

/** Every map of the catalog that takes a matrix without further facts. */
export const entries: readonly Entry[] = Object.values(catalog).flatMap((register) => {
  const definition =
    typeof register === 'function' && !('prototype' in register && register.prototype?.forward)
      ? definitionOf(register)
      : undefined;
  if (definition === undefined) return [];
  const { name } = definition;
  return Object.entries(optionsOf[name] ?? { '': {} }).map(
    ([way, options]): Entry => ({
      title: `${name}${way}`,
      register: (host) => {
        const { shape } = host.weight;
        const given = typeof options === 'function' ? options(shape) : options;
        (register as unknown as (host: object, name: string, options: object) => void)(host, 'weight', given);
      },
    }),
  );
});

/** Normal numbers over √n, as weights have. They are the same in every call. */
function weightOf(shape: readonly number[]): Tensor {
  return tf.randomNormal([...shape], 0, 1 / Math.sqrt(Math.max(...shape)), 'float32', 7);
}

/** Makes a host with a weight of a shape. */
export const hostOf = (shape: readonly number[]): { weight: Tensor } => ({
  weight: tf.tidy(() => tf.variable(weightOf(shape))),
});

/** Whether an entry takes matrices of a shape. */
export function takes(entry: Entry, shape: readonly number[]): boolean {
  const host = hostOf(shape);
  try {
    entry.register(host);
    removeParametrizations(host, 'weight');
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'SHAPE') throw error;
    return false;
  } finally {
    host.weight.dispose();
  }
}

/** The work of a read: an evaluation of the map, or that and the gradients of its originals. */
export function readStep(entry: Entry, shape: readonly number[], pass: 'read' | 'gradient'): Step {
  nn.manualSeed(1);
  const host = hostOf(shape);
  entry.register(host);
  const list = parametrizationsOn(host, 'weight');
  const map = list[0] as Parametrization;
  const originals = list.originalNames.map((name) => list[name as 'original'] as Tensor);
  const forward = (...inputs: Tensor[]): Tensor => map.forward(...inputs);
  if (pass === 'read') return { compute: () => [forward(...originals)] };
  const dW = tf.randomNormal([...shape], 0, 1, 'float32', 8);
  // A map that does not use one of its originals has no gradient for it.
  const differentiated = tf.valueAndGrads(forward);
  return {
    compute() {
      const { value, grads } = differentiated(originals, dW);
      return [value, ...grads];
    },
  };
}

/** The work that the others are compared with: a product of two matrices of that size. */
export function productStep(n: number): Step {
  const [A, B] = [weightOf([n, n]), tf.randomNormal([n, n], 0, 1, 'float32', 8)];
  return { compute: () => [tf.matMul(A as tf.Tensor2D, B as tf.Tensor2D)] };
}

/** Registers a map and removes it again; only the registration is measured. Returns milliseconds. */
export function registrationTime(entry: Entry, host: { weight: Tensor }): number {
  const value = tf.tidy(() => tf.clone(host.weight));
  const start = performance.now();
  entry.register(host);
  const time = performance.now() - start;
  removeParametrizations(host, 'weight');
  (host.weight as tf.Variable).assign(value);
  value.dispose();
  return time;
}
