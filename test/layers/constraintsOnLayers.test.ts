import * as tf from '@tensorflow/tfjs';
import { maxNorm, minMaxNorm, nonNeg, parametrizationsOn, unitNorm, valueOf } from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { normsOf } from '../parametrizations/constraintCases.ts';
import { flatten } from '../toBeAllClose.ts';
import { at, dataOf, disposeModel, layerOf, modelOf, trainable, weightAt } from './layerCases.ts';

type Constraint = NonNullable<tf.LayerVariable['constraint']>;

interface Case {
  /** The constraint of tfjs, which is of the same name. */
  readonly plain: () => Constraint;
  /** Registers its parametrization. */
  readonly register: (host: tf.layers.Layer, name: string) => void;
  /** How far a weight is from holding it. */
  readonly distance: (W: tf.Tensor) => number;
}

// Axes are the default ones. The limits are near to where the weights begin, so that every training gets there.
const limit = { maxValue: 0.3 };
const limits = { minValue: 0.3, maxValue: 0.4 };
const most = (norms: readonly number[], distance: (norm: number) => number): number =>
  Math.max(0, ...norms.map(distance));

const cases: Record<string, Case> = {
  unitNorm: {
    plain: () => tf.constraints.unitNorm({}),
    register: (host, name) => unitNorm(host, name as never),
    distance: (W) => most(normsOf(W, [0]), (norm) => Math.abs(norm - 1)),
  },
  maxNorm: {
    plain: () => tf.constraints.maxNorm(limit),
    register: (host, name) => maxNorm(host, name as never, limit),
    distance: (W) => most(normsOf(W, [0]), (norm) => norm - limit.maxValue),
  },
  minMaxNorm: {
    plain: () => tf.constraints.minMaxNorm(limits),
    register: (host, name) => minMaxNorm(host, name as never, limits),
    distance: (W) =>
      most(normsOf(W, [0]), (norm) => Math.max(norm - limits.maxValue, limits.minValue - norm)),
  },
  nonNeg: {
    plain: () => tf.constraints.nonNeg(),
    register: (host, name) => nonNeg(host, name as never),
    distance: (W) => most(flatten(W), (value) => -value),
  },
};

/** Trains with steps of about 0.5 for each element, which no constraint survives by chance. */
async function train(model: tf.Sequential, x: tf.Tensor, y: tf.Tensor): Promise<void> {
  model.compile({ optimizer: tf.train.adam(0.5), loss: 'meanSquaredError' });
  await model.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 });
}

describe.each(Object.entries(cases))('%s', (_, { plain, register, distance }) => {
  it.each(trainable)(
    'holds after fit on %s, where the constraint of tfjs does not',
    async (__, layerCase) => {
      const { kernels } = layerCase;
      const { x, y } = dataOf(layerCase);

      const model = modelOf(layerCase);
      const hosts = kernels.map((path) => at(layerOf(model), path));
      for (const { host, name } of hosts) register(host, name);
      const originals = hosts.map(({ host, name }) => parametrizationsOn(host, name).original!);
      const before = originals.map(flatten);
      await train(model, x, y);
      hosts.forEach(({ host, name }, i) => {
        // The norm of one number is its size, and the number a sign, which has no gradient.
        const isSign = register === cases['unitNorm']!.register && originals[i]!.shape[0] === 1;
        if (!isSign) expect(flatten(originals[i]!)).not.toEqual(before[i]);
        expect(distance(valueOf(host, name))).toBeLessThan(1e-5);
        expect(weightAt(host, name).read()).toBe(valueOf(host, name));
      });

      // The same training from weights that hold it.
      const unregistered = modelOf(layerCase);
      const weights = kernels.map((path) => weightAt(layerOf(unregistered), path));
      for (const weight of weights) {
        (weight as { constraint: Constraint }).constraint = plain();
        tf.tidy(() => void weight.write(tf.clone(weight.read())));
        expect(distance(weight.read())).toBeLessThan(1e-5);
      }
      await train(unregistered, x, y);
      for (const weight of weights) expect(distance(weight.read())).toBeGreaterThan(1e-2);

      disposeModel(model);
      disposeModel(unregistered);
      tf.dispose([x, y]);
    },
  );
});
