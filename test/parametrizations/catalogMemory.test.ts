import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { parameter } from '../../src/nn/index.ts';
import {
  maxNorm,
  minMaxNorm,
  nonNeg,
  skew,
  spectralNorm,
  symmetric,
  unitNorm,
  weightNorm,
} from '../../src/parametrizations/index.ts';
import { removeParametrizations } from '../../src/parametrize/index.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { peakOf } from '../peakMemory.ts';

const catalog: Readonly<Record<string, (host: object, name: string) => unknown>> = {
  weightNorm,
  spectralNorm,
  skew,
  symmetric,
  unitNorm,
  maxNorm,
  minMaxNorm,
  nonNeg,
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
