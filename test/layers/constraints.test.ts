import * as tf from '@tensorflow/tfjs';
import {
  cached,
  isParametrized,
  maxNorm,
  minMaxNorm,
  nonNeg,
  orthogonal,
  parametrizationsOn,
  spectralNorm,
  unitNorm,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import { constraintsToParametrizations } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { normsOf } from '../parametrizations/constraintCases.ts';
import { failure } from '../parametrize/unchanged.ts';
import { flatten } from '../toBeAllClose.ts';
import { disposeModel, setNumbers, weightAt } from './layerCases.ts';

const data = (): { x: tf.Tensor; y: tf.Tensor } => ({
  x: tf.randomNormal([16, 4], 0, 1, 'float32', 1),
  y: tf.randomNormal([16, 3], 0, 3, 'float32', 2),
});

const dense = (config = {}): tf.Sequential => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4], ...config })] });
  setNumbers(model, 1);
  return model;
};

/** What holds of a kernel after each of the constraints. */
const constraints: Record<
  string,
  { apply: (layer: tf.layers.Layer) => void; distance: (W: tf.Tensor) => number }
> = {
  unitNorm: {
    apply: (layer) => unitNorm(layer, 'kernel'),
    distance: (W) => Math.max(...normsOf(W, [0]).map((r) => Math.abs(r - 1))),
  },
  maxNorm: {
    apply: (layer) => maxNorm(layer, 'kernel', { maxValue: 0.3 }),
    distance: (W) => Math.max(...normsOf(W, [0]).map((r) => Math.max(r - 0.3, 0))),
  },
  minMaxNorm: {
    apply: (layer) => minMaxNorm(layer, 'kernel', { minValue: 0.2, maxValue: 0.4, axis: 1 }),
    distance: (W) => Math.max(...normsOf(W, [1]).map((r) => Math.max(r - 0.4, 0.2 - r, 0))),
  },
  nonNeg: {
    apply: (layer) => nonNeg(layer, 'kernel'),
    distance: (W) => Math.max(0, ...flatten(W).map((value) => -value)),
  },
  orthogonal: {
    apply: (layer) => orthogonal(layer, 'kernel'),
    distance: (W) =>
      tf.tidy(() => {
        const gram = tf.matMul(W as tf.Tensor2D, W as tf.Tensor2D, true, false);
        return Math.max(...flatten(tf.abs(tf.sub(gram, tf.eye(3)))));
      }),
  },
};

type Train = (model: tf.Sequential, x: tf.Tensor, y: tf.Tensor) => Promise<unknown>;

const trainings: Record<string, Train> = {
  fit: (model, x, y) => model.fit(x, y, { epochs: 10, batchSize: 8, verbose: 0 }),
  trainOnBatch: async (model, x, y) => {
    for (let i = 0; i < 10; i++) await model.trainOnBatch(x, y);
  },
  fitDataset: (model, x, y) =>
    model.fitDataset(tf.data.array([{ xs: x, ys: y }]).repeat(10), {
      epochs: 1,
      batchesPerEpoch: 10,
      verbose: 0,
    }),
  'an optimizer driven by hand': async (model, x, y) => {
    const optimizer = tf.train.adam(0.05);
    for (let i = 0; i < 10; i++) {
      optimizer.minimize(() => tf.losses.meanSquaredError(y, model.apply(x) as tf.Tensor));
    }
    optimizer.dispose();
  },
  'fit in a cache scope': (model, x, y) =>
    cached(() => model.fit(x, y, { epochs: 10, verbose: 0, validationData: [x, y] })),
};

describe.each(Object.entries(constraints))('%s', (_, { apply, distance }) => {
  it.each(Object.entries(trainings))(
    'holds after %s, which moves the weights and leaks nothing',
    async (__, train) => {
      const model = dense();
      const layer = model.layers[0]!;
      const { x, y } = data();
      apply(layer);
      model.compile({ optimizer: tf.train.adam(0.05), loss: 'meanSquaredError' });
      await train(model, x, y);
      const { numTensors } = tf.memory();
      const before = flatten(parametrizationsOn(layer, 'kernel').original!);
      await train(model, x, y);
      expect(tf.memory().numTensors).toBe(numTensors);
      expect(flatten(parametrizationsOn(layer, 'kernel').original!)).not.toEqual(before);
      expect(distance(valueOf(layer, 'kernel'))).toBeLessThan(1e-5);
      disposeModel(model);
      tf.dispose([x, y]);
    },
  );
});

describe('spectralNorm', () => {
  it.each(Object.entries(trainings))(
    'follows its singular value through %s, and stands still in predict',
    async (_, train) => {
      const model = dense();
      const layer = model.layers[0]!;
      const { x, y } = data();
      spectralNorm(layer, 'kernel', { nPowerIterations: 20 });
      model.compile({ optimizer: tf.train.adam(0.02), loss: 'meanSquaredError' });
      await train(model, x, y);
      const list = parametrizationsOn(layer, 'kernel');
      const { _u } = list[0] as unknown as { _u: tf.Variable };
      const vector = flatten(_u);
      tf.dispose(model.predict(x));
      tf.dispose(model.evaluate(x, y));
      expect(flatten(_u)).toEqual(vector);
      const W = flatten(valueOf(layer, 'kernel'));
      expect(largestSingularValue(W, 4, 3)).toBeGreaterThan(0.98);
      expect(largestSingularValue(W, 4, 3)).toBeLessThan(1.02);
      disposeModel(model);
      tf.dispose([x, y]);
    },
  );

  it('follows the mode that a layer is called with, and a gradient where there is none', () => {
    const model = dense();
    spectralNorm(model.layers[0]!);
    const { _u } = parametrizationsOn(model.layers[0]!, 'kernel')[0] as unknown as { _u: tf.Variable };
    const { x, y } = data();
    const moves = (fn: () => unknown): boolean => {
      const { dataId } = _u;
      tf.tidy(() => void fn());
      return _u.dataId !== dataId;
    };
    expect(moves(() => model.apply(x))).toBe(false);
    expect(moves(() => model.apply(x, { training: false }))).toBe(false);
    expect(moves(() => model.apply(x, { training: true }))).toBe(true);
    const gradient = (training?: boolean) => () =>
      tf.variableGrads(() => tf.sum(model.apply(x, training === undefined ? {} : { training }) as tf.Tensor));
    expect(moves(gradient())).toBe(true);
    expect(moves(gradient(true))).toBe(true);
    expect(moves(gradient(false))).toBe(false);
    expect(moves(() => weightAt(model.layers[0]!, 'kernel').read())).toBe(false);
    model.dispose();
    tf.dispose([x, y]);
  });
});

describe('tf.constraints (tfjs issues 3345 and 3979)', () => {
  it('do not hold in fit; constraintsToParametrizations makes them', async () => {
    const make = (): tf.Sequential => {
      const model = dense({ kernelConstraint: tf.constraints.unitNorm({ axis: 0 }) });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
      return model;
    };
    const { x, y } = data();
    const [before, after] = [make(), make()];
    expect(constraintsToParametrizations(after)).toEqual([`${after.layers[0]!.name}.kernel`]);
    for (const model of [before, after]) await model.fit(x, y, { epochs: 5, verbose: 0 });
    const distance = (model: tf.Sequential): number =>
      Math.max(...normsOf(weightAt(model.layers[0]!, 'kernel').read(), [0]).map((r) => Math.abs(r - 1)));
    expect(distance(before)).toBeGreaterThan(0.05);
    expect(distance(after)).toBeLessThan(1e-5);
    expect(weightAt(after.layers[0]!, 'kernel').read()).toBe(valueOf(after.layers[0]!, 'kernel'));
    expect(after.getWeights()[0]).toBe(parametrizationsOn(after.layers[0]!, 'kernel').original);
    disposeModel(before);
    disposeModel(after);
    tf.dispose([x, y]);
  });

  it('become parametrizations with the same options, on every weight of a model', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({
          units: 3,
          inputShape: [4, 5],
          kernelConstraint: tf.constraints.maxNorm({ maxValue: 3, axis: 1 }),
          biasConstraint: 'nonNeg',
        }),
        tf.layers.bidirectional({
          layer: tf.layers.lstm({
            units: 2,
            recurrentConstraint: tf.constraints.minMaxNorm({ minValue: 0.5, maxValue: 2, rate: 0.5 }),
          }),
        }),
        tf.layers.dense({ units: 2 }),
      ],
    });
    setNumbers(model, 3);
    const [first, second, third] = model.layers as [tf.layers.Layer, tf.layers.Layer, tf.layers.Layer];
    const paths = constraintsToParametrizations(model);
    expect(paths).toEqual([
      `${first.name}.kernel`,
      `${first.name}.bias`,
      `${second.name}.forwardLayer.cell.recurrentKernel`,
      `${second.name}.backwardLayer.cell.recurrentKernel`,
    ]);
    expect(String(parametrizationsOn(first, 'kernel')[0])).toBe('MaxNorm(maxValue=3, axis=1)');
    expect(String(parametrizationsOn(first, 'bias')[0])).toBe('NonNeg()');
    expect(String(parametrizationsOn(model, paths[2]!)[0])).toBe(
      'MinMaxNorm(minValue=0.5, maxValue=2, rate=0.5, axis=0)',
    );
    expect(isParametrized(third)).toBe(false);
    expect(constraintsToParametrizations(model)).toEqual([]);
    model.dispose();
  });

  it('are refused, and nothing is changed, where one has no parametrization or options that make no sense', () => {
    // tfjs does not export the class, but takes its subclasses.
    const Constraint = Object.getPrototypeOf(tf.constraints.unitNorm({}).constructor) as new () => object;
    class Halve extends Constraint {
      static className = 'Halve';
      apply(w: tf.Tensor): tf.Tensor {
        return tf.mul(w, 0.5);
      }
    }
    const make = (kernelConstraint: unknown): tf.Sequential => {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ units: 3, inputShape: [4], kernelConstraint: 'nonNeg' }),
          tf.layers.dense({ units: 3, kernelConstraint: kernelConstraint as never }),
        ],
      });
      tf.tidy(() => {
        for (const weight of model.weights)
          (weight.read() as tf.Variable).assign(tf.randomNormal(weight.shape as number[]));
      });
      return model;
    };
    const refused: [unknown, string][] = [
      [new Halve(), "the constraint of 'dense_Dense"],
      [tf.constraints.maxNorm({ maxValue: 1, axis: 2 }), 'axis 2 is out of range'],
    ];
    for (const [constraint, message] of refused) {
      const model = make(constraint);
      const values = tf.tidy(() => model.getWeights().map(flatten));
      expect(() => constraintsToParametrizations(model)).toThrow(message);
      expect(model.layers.some((layer) => isParametrized(layer))).toBe(false);
      expect(tf.tidy(() => model.getWeights().map(flatten))).toEqual(values);
      model.dispose();
    }
    class Holder extends tf.layers.Layer {
      static className = 'Holder';
      inner = tf.layers.dense({ units: 1, kernelConstraint: 'unitNorm' });
    }
    const unbuilt = tf.sequential({ layers: [new Holder({ inputShape: [2], name: 'holder' })] });
    expect(() => constraintsToParametrizations(unbuilt)).toThrow("'holder.inner' is not built");
    expect(() => constraintsToParametrizations({} as never)).toThrow('expected a model of tf.layers');
  });

  it('are refused, and nothing is changed, if the optimizer of the model is none of tfjs', () => {
    class Other extends tf.SGDOptimizer {
      override getClassName(): string {
        return 'Other';
      }
    }
    const layer = tf.layers.dense({
      units: 2,
      inputShape: [3],
      kernelConstraint: tf.constraints.unitNorm({}),
    });
    const model = tf.sequential({ layers: [layer] });
    model.compile({ optimizer: new Other(0.1), loss: 'meanSquaredError' });
    expect(failure(() => constraintsToParametrizations(model), layer)).toMatch(
      'OPTION: syncModel: Other is none',
    );
    expect(isParametrized(layer)).toBe(false);
    model.optimizer.dispose();
    model.dispose();
  });

  it('leave a weight that is parametrized already', () => {
    const model = dense({ kernelConstraint: 'unitNorm' });
    weightNorm(model.layers[0]!);
    expect(constraintsToParametrizations(model)).toEqual([]);
    model.dispose();
  });
});

/** By power iteration in float64. */
function largestSingularValue(values: number[], rows: number, columns: number): number {
  let v = Array.from({ length: columns }, (_, j) => 1 + j);
  let sigma = 0;
  for (let step = 0; step < 2000; step++) {
    const u = Array.from({ length: rows }, (_, i) =>
      v.reduce((sum, x, j) => sum + values[i * columns + j]! * x, 0),
    );
    sigma = Math.hypot(...u);
    const w = v.map((_, j) => u.reduce((sum, x, i) => sum + values[i * columns + j]! * x, 0));
    const length = Math.hypot(...w);
    v = w.map((x) => x / length);
  }
  return sigma;
}
