import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { ParametrizeError } from '../../src/core/errors.ts';
import * as nn from '../../src/nn/index.ts';
import { Orthogonal, orthogonal } from '../../src/parametrizations/index.ts';
import { parametrizationsOn, removeParametrizations } from '../../src/parametrize/index.ts';
import { matrices, orthogonalityError } from '../ops/matrix/matrixCases.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { peakOf } from '../peakMemory.ts';
import { flatten } from '../toBeAllClose.ts';

const backend = process.env['TFJS_BACKEND'] ?? 'cpu';
const maps = ['matrixExp', 'cayley', 'householder', 'polar'] as const;
const hostOf = (shape: readonly number[]) => ({
  weight: nn.parameter(() => matrices([...shape])) as tf.Tensor,
});

describe.each(maps)('the memory that orthogonal takes, %s', (orthogonalMap) => {
  const cases = [
    [[24, 24], true],
    [[96, 96], true],
    [[300, 8], true],
    [[8, 300], true],
    [[24, 24], false],
    [[300, 8], false],
    [[8, 300], false],
  ] as const;

  it.each(cases.filter(([, hasBase]) => orthogonalMap !== 'polar' || !hasBase))(
    'is that of a few matrices, of the shorter side but for the base: [%s], trivialization %s',
    (shape, useTrivialization) => {
      const [short, long] = [Math.min(...shape), Math.max(...shape)];
      const host = hostOf(shape);
      const values = [5, 6].map((seed) => tf.tidy(() => matrices([...shape], 0.3, seed)));
      const original = () => parametrizationsOn(host, 'weight').original as tf.Variable;
      const calls: Record<string, () => void> = {
        registration: () => void orthogonal(host, 'weight', { orthogonalMap, useTrivialization }),
        reading: () => {
          original().assign(values[0]!);
          tf.tidy(() => void host.weight);
        },
        gradient: () => tf.dispose(tf.variableGrads(() => tf.sum(tf.square(host.weight)), [original()])),
        assignment: () => {
          if (useTrivialization || ['householder', 'polar'].includes(orthogonalMap)) host.weight = values[1]!;
        },
        removal: () => void removeParametrizations(host, 'weight'),
      };
      for (const [name, call] of Object.entries(calls)) {
        const { tensors, bytes } = peakOf(call);
        const bases = useTrivialization ? 8 * long ** 2 : 0;
        const matrices =
          orthogonalMap === 'matrixExp' ? 150 * Math.min(long, 2 * short) ** 2 : 40 * short ** 2;
        const room = bases + matrices + 45 * short * long;
        expect(bytes / (4 * room), name).toBeLessThan(1);
        expect(tensors, name).toBeLessThan(300);
      }
      tf.dispose([...values, host.weight]);
    },
  );
});

describe('orthogonal of a large weight', () => {
  // Where numbers are not in the memory of the process, 50 columns are many operations.
  it.runIf(backend === 'cpu' || backend === 'wasm')('is orthogonal, and leaves the backend as it was', () => {
    const host = orthogonal(hostOf(backend === 'wasm' ? [2000, 50] : [784, 50]));
    inTidy(() => {
      const Q = tf.expandDims(host.weight, 0);
      expect(orthogonalityError(Q)).toBeLessThan(2e-5);
      expect(flatten(tf.matMul(tf.ones([2, 3]), tf.ones([3, 1])))).toEqual([3, 3]);
    });
    removeParametrizations(host, 'weight');
    host.weight.dispose();
  });

  it.runIf(backend === 'wasm')('is refused where the memory of the backend has no room for it', () => {
    const tall = tf.ones([40_000, 1]);
    const { numTensors } = tf.memory();
    const make = (): Orthogonal => new Orthogonal(tall);
    expect(make).toThrow(ParametrizeError);
    expect(make).toThrow(
      "orthogonal: a weight of shape [40000, 1] with a base of [40000, 40000] takes about 48835 MiB at once, for which the memory of the backend has no room. Pass { orthogonalMap: 'householder', useTrivialization: false }, which needs no base, or dispose tensors that are not needed.",
    );
    expect(tf.memory().numTensors).toBe(numTensors);
    const host = orthogonal({ weight: nn.parameter(() => tf.clone(tall)) as tf.Tensor }, 'weight', {
      orthogonalMap: 'householder',
      useTrivialization: false,
    });
    // Three digits: wasm adds up the 40,000 squares of a reflection one by one in float32.
    inTidy(() => expect(Math.hypot(...flatten(host.weight))).toBeCloseTo(1, 3));
    removeParametrizations(host, 'weight');
    tf.dispose([tall, host.weight]);
  });
});
