import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { parameter } from '../../src/nn/index.ts';
import {
  loraBias,
  maxNorm,
  minMaxNorm,
  nonNeg,
  skew,
  spectralNorm,
  symmetric,
  unitNorm,
  weightNorm,
} from '../../src/parametrizations/index.ts';
import { definitionOf } from '../../src/parametrize/definition.ts';
import { removeParametrizations } from '../../src/parametrize/index.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { peakOf } from '../peakMemory.ts';

const catalog: Readonly<Record<string, (host: object, name: string, options?: never) => unknown>> = {
  weightNorm,
  spectralNorm,
  skew,
  symmetric,
  unitNorm,
  maxNorm,
  minMaxNorm,
  nonNeg,
  loraBias,
};

it.each(Object.entries(catalog))(
  '%s holds a few tensors of the size of its weight at once, however large that is',
  (_, register) => {
    for (const n of [16, 64]) {
      const host = { weight: parameter(() => matrices([n, n])) as tf.Tensor };
      const calls: Record<string, () => void> = {
        registration: () => void register(host, 'weight'),
        reading: () => tf.tidy(() => void host.weight),
        gradient: () => {
          const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(host.weight)));
          tf.dispose([value, grads]);
        },
        removal: () => void removeParametrizations(host, 'weight'),
      };
      for (const [call, fn] of Object.entries(calls)) {
        const { tensors, bytes } = peakOf(fn);
        expect(tensors, call).toBeLessThan(60);
        expect(bytes / (4 * n * n), call).toBeLessThan(32);
      }
      host.weight.dispose();
    }
  },
);

/** Shapes of every kind; square ones only have all maps. The last axis of 1 and the first make norms as large as the weight. */
const shapes = [[64, 64], [256, 256], [4, 4, 32, 32], [1024, 4], [4, 1024], [2048, 1], [1, 2048], [2048]];

/** Options with which a map takes more than with its defaults. */
const options: Readonly<Record<string, readonly object[]>> = {
  weightNorm: [{}, { dim: null }],
  minMaxNorm: [{}, { minValue: 0.5, rate: 0.5 }],
  spectralNorm: [{}, { nPowerIterations: 3 }],
};

/** The peak of a registration and a gradient after it, in tensors of the size of the weight. */
function copiesOf(name: string, shape: number[], given: object): number {
  const host = { weight: parameter(() => matrices(shape)) as tf.Tensor };
  const bytes = 4 * host.weight.size;
  const peak = peakOf(() => {
    catalog[name]!(host, 'weight', given as never);
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(host.weight)));
    tf.dispose([value, grads]);
  });
  removeParametrizations(host, 'weight');
  host.weight.dispose();
  return peak.bytes / bytes;
}

it.each(Object.keys(catalog))(
  '%s holds as many copies of its weight at once as its definition says',
  (name) => {
    const { copies = 0 } = definitionOf(catalog[name])!;
    const isSquare = (shape: number[]): boolean => shape.at(-1) === shape.at(-2);
    const fitting = ['skew', 'symmetric'].includes(name) ? shapes.filter(isSquare) : shapes;
    const peaks = fitting.flatMap((shape) =>
      (options[name] ?? [{}]).map((given) => copiesOf(name, shape, given)),
    );
    // A tensor of one number is more than nothing.
    const most = Math.max(...peaks) - 0.05;
    expect(most).toBeLessThanOrEqual(copies);
    // wasm, which checks the room, holds the most.
    if (process.env['TFJS_BACKEND'] === 'wasm') expect(most).toBeGreaterThan(0.93 * copies);
  },
);
