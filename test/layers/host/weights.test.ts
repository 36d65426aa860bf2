import * as tf from '@tensorflow/tfjs';
import {
  clone,
  describe as describeModel,
  fold,
  isParametrized,
  type ParametrizeError,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  spectralNorm,
  transferParametrizationsAndParams,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import { syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { flatten } from '../../toBeAllClose.ts';
import { disposeModel, setNumbers, weightAt } from '../layerCases.ts';

const dense = (config = {}): tf.Sequential => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4], ...config })] });
  setNumbers(model, 1);
  return model;
};

const ends = (weights: tf.LayerVariable[]): string[] =>
  weights.map(({ originalName }) => originalName.replace(/^[^/]*\//, ''));

describe('the weights of a layer', () => {
  it('are the originals in the place of the kernel, states last', () => {
    const model = dense();
    const layer = model.layers[0]!;
    weightNorm(layer);
    spectralNorm(layer);
    expect(ends(layer.trainableWeights)).toEqual(['kernel/original0', 'kernel/original1', 'bias']);
    expect(ends(layer.nonTrainableWeights)).toEqual(['kernel/1._u', 'kernel/1._v']);
    expect(ends(model.weights)).toEqual([
      'kernel/original0',
      'kernel/original1',
      'bias',
      'kernel/1._u',
      'kernel/1._v',
    ]);
    expect(layer.countParams()).toBe(3 + 12 + 3 + 3 + 4);
    const lines: string[] = [];
    model.summary(undefined, undefined, (line) => lines.push(line));
    expect(lines.join('\n')).toContain('Trainable params: 18');
    expect(lines.join('\n')).toContain('Non-trainable params: 7');
    disposeModel(model);
  });

  it('are read and written in that order', () => {
    const model = dense();
    const other = dense();
    setNumbers(other, 2);
    for (const { layers } of [model, other]) weightNorm(layers[0]!);
    tf.tidy(() => model.setWeights(other.getWeights()));
    expect(valueOf(model.layers[0]!, 'kernel')).toBeAllClose(valueOf(other.layers[0]!, 'kernel'));
    const { g } = parametrizationsOn(model.layers[0]!, 'kernel');
    expect(model.getWeights()[0]).toBe(g);
    disposeModel(model);
    disposeModel(other);
  });

  it('are written through the kernel by way of the right inverse, with its constraint, as plain weights are', () => {
    const model = dense({ kernelConstraint: tf.constraints.maxNorm({ maxValue: 1 }) });
    const layer = model.layers[0]!;
    weightNorm(layer);
    const kernel = weightAt(layer, 'kernel');
    const value = tf.fill([4, 3], 2);
    expect(kernel.write(value)).toBe(kernel);
    expect(kernel.read()).toBeAllClose(
      tf.tidy(() => flatten(tf.fill([4, 3], 0.5))),
      { absolute: 1e-6 },
    );
    const wrong = tf.zeros([3, 4]);
    expect(() => kernel.write(wrong)).toThrow('shape');
    expect(kernel.read()).toBeAllClose(Array(12).fill(0.5), { absolute: 1e-6 });
    disposeModel(model);
    tf.dispose([value, wrong]);
  });

  it('freeze and thaw with their layer, and stay frozen where they were', async () => {
    const model = dense();
    const layer = model.layers[0]!;
    layer.trainable = false;
    weightNorm(layer);
    const list = parametrizationsOn(layer, 'kernel');
    expect(list.parameters().map(({ trainable }) => trainable)).toEqual([false, false]);
    expect(model.trainableWeights).toEqual([]);
    expect(weightAt(layer, 'kernel').trainable).toBe(false);
    layer.trainable = true;
    expect(list.parameters().map(({ trainable }) => trainable)).toEqual([true, true]);
    expect(weightAt(layer, 'kernel').trainable).toBe(true);
    layer.trainable = false;
    removeParametrizations(layer, 'kernel');
    expect(weightAt(layer, 'kernel').trainable).toBe(false);
    expect((weightAt(layer, 'kernel').read() as tf.Variable).trainable).toBe(false);
    disposeModel(model);
  });

  it('do not let a thaw make states trainable', () => {
    const model = dense();
    const layer = model.layers[0]!;
    spectralNorm(layer);
    layer.trainable = false;
    layer.trainable = true;
    expect(ends(layer.trainableWeights)).toEqual(['kernel/original', 'bias']);
    disposeModel(model);
  });

  it('are regularized by their effective value, as in Keras', async () => {
    const model = dense({ kernelRegularizer: tf.regularizers.l2({ l2: 0.5 }) });
    const layer = model.layers[0]!;
    weightNorm(layer);
    tf.tidy(() =>
      parametrizationsOn(layer, 'kernel').v!.assign(tf.mul(parametrizationsOn(layer, 'kernel').v!, 7)),
    );
    const wanted = 0.5 * flatten(valueOf(layer, 'kernel')).reduce((sum, value) => sum + value ** 2, 0);
    const losses = tf.tidy(() => layer.calculateLosses().map(flatten));
    expect(losses[0]![0]).toBeCloseTo(wanted, 4);
    disposeModel(model);
  });

  it('are all disposed with the model, and the cached value too', () => {
    const model = dense();
    const layer = model.layers[0]!;
    weightNorm(layer);
    spectralNorm(layer);
    expect(valueOf(layer, 'kernel').shape).toEqual([4, 3]);
    expect(model.dispose().numDisposedVariables).toBe(5);
    expect(() => weightAt(layer, 'kernel').read()).toThrow('was disposed');
    expect(() => weightNorm(layer, 'bias')).toThrow(`Dense '${layer.name}' has been disposed`);
  });

  it('are not evaluated by a tidy that is handed the layer or the model', () => {
    const model = dense();
    const layer = model.layers[0]!;
    weightNorm(layer);
    const { evaluations } = parametrizationsOn(layer, 'kernel');
    tf.tidy(() => ({ layer, model }) as never);
    expect(parametrizationsOn(layer, 'kernel').evaluations).toBe(evaluations);
    disposeModel(model);
  });
});

describe('a layer that is not built', () => {
  it('is parametrized when it builds, from its initial weights', () => {
    const initial = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor1d([5, 6])];
    const layer = tf.layers.dense({ units: 2, weights: initial });
    const keys = Reflect.ownKeys(layer);
    weightNorm(layer);
    spectralNorm(layer, 'kernel', { nPowerIterations: 30 });
    expect(isParametrized(layer)).toBe(false);
    const model = tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [2] }), layer] });
    expect(parametrizationsOn(layer, 'kernel').length).toBe(2);
    expect(parametrizationsOn(layer, 'kernel').v).toBeAllClose(initial[0]!);
    expect(flatten(weightAt(layer, 'bias').read())).toEqual([5, 6]);
    removeParametrizations(layer, 'kernel');
    expect(Reflect.ownKeys(layer).filter((key) => !keys.includes(key))).toEqual([]);
    model.dispose();
    tf.dispose(initial);
  });

  it('may be a cell, or wrapped', () => {
    const lstm = tf.layers.lstm({ units: 2 });
    weightNorm(lstm.cell, 'recurrentKernel');
    const bidirectional = tf.layers.bidirectional({
      layer: tf.layers.gru({ units: 2, returnSequences: true }),
    });
    weightNorm(bidirectional, 'forwardLayer.cell.kernel');
    const inner = tf.layers.dense({ units: 3 });
    const timeDistributed = tf.layers.timeDistributed({ layer: inner });
    weightNorm(timeDistributed);
    const model = tf.sequential({
      layers: [tf.layers.inputLayer({ inputShape: [4, 3] }), timeDistributed, bidirectional, lstm],
    });
    expect(isParametrized(lstm.cell, 'recurrentKernel')).toBe(true);
    expect(isParametrized(lstm, 'cell.recurrentKernel')).toBe(true);
    expect(isParametrized(inner, 'kernel')).toBe(true);
    expect(describeModel(model).rows.map(({ path, tensor }) => `${path}.${tensor}`)).toEqual([
      `${timeDistributed.name}.layer.kernel`,
      `${bidirectional.name}.forwardLayer.cell.kernel`,
      `${lstm.name}.cell.recurrentKernel`,
    ]);
    expect(fold(model).length).toBe(3);
    model.dispose();
  });

  it('refuses a name that such a layer never has, at once', () => {
    const layer = tf.layers.dense({ units: 2 });
    expect(() => weightNorm(layer, 'kernl' as never)).toThrow(
      "weightNorm: Dense has no weight 'kernl'. Did you mean 'kernel'? It has: kernel, bias.",
    );
    expect(() => weightNorm(layer, 'kernel', { dmi: 1 } as never)).toThrow("Did you mean 'dim'?");
    expect(Reflect.ownKeys(layer)).not.toContain('build');
  });
});

describe('paths and names', () => {
  it('reach through wrappers and models in every function', () => {
    const model = tf.sequential({
      layers: [tf.layers.lstm({ units: 2, inputShape: [3, 2], name: 'memory' })],
    });
    const lstm = model.layers[0] as ReturnType<typeof tf.layers.lstm>;
    weightNorm(model, 'memory.cell.recurrentKernel');
    registerParametrization(lstm, 'cell.kernel', (x) => tf.mul(x, 2));
    expect(isParametrized(model, 'memory.cell.kernel')).toBe(true);
    expect(parametrizationsOn(model, 'memory.cell.recurrentKernel')).toBe(
      parametrizationsOn(lstm.cell, 'recurrentKernel'),
    );
    const value = valueOf(model, 'memory.cell.kernel');
    expect(value.shape).toEqual([2, 8]);
    value.dispose();
    expect(removeParametrizations(model, 'memory.cell.kernel')).toBe(model);
    expect(isParametrized(lstm.cell, 'kernel')).toBe(false);
    model.dispose();
  });

  it.each([
    [
      (lstm: object) => weightNorm(lstm, 'kernel' as never),
      "LSTM 'l' has no weight 'kernel'. It has: none; layers below it: cell.",
    ],
    [
      (lstm: object) => weightNorm(lstm, 'cell.kernl' as never),
      "LSTMCell 'lstm_cell' has no weight 'kernl'. Did you mean 'kernel'?",
    ],
    [(lstm: object) => valueOf(lstm, 'cell.state'), "has no weight 'state'"],
    [
      (lstm: object) => removeParametrizations(lstm, 'cell.kernel'),
      "LSTMCell has no parametrization on 'kernel'",
    ],
    [(lstm: object) => clone(lstm), 'clone: LSTM is part of a graph of layers'],
  ])('are refused with what there is: %#', (act, message) => {
    const lstm = tf.layers.lstm({ units: 2, inputShape: [3, 2], name: 'l' });
    (lstm.cell as { name: string }).name = 'lstm_cell';
    const model = tf.sequential({ layers: [lstm] });
    expect(() => act(lstm)).toThrow(message);
    model.dispose();
  });

  it('are asked for where there is more than one main weight', () => {
    const bidirectional = tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 2 }) });
    expect(() => weightNorm(bidirectional)).toThrow('the layers below it are forwardLayer, backwardLayer');
    // Only a layer of a known class tells its weights before it builds.
    const flat = tf.layers.flatten();
    weightNorm(flat);
    expect(() => flat.apply(tf.input({ shape: [2, 2] }))).toThrow("has no weight 'kernel'");
    expect(() => weightNorm(flat)).toThrow('has no main weight');
  });

  it('refuse a weight that another layer owns', () => {
    const owner = tf.layers.dense({ units: 2, inputShape: [2] });
    const model = tf.sequential({ layers: [owner] });
    const borrower = tf.layers.dense({ units: 2 });
    (borrower as unknown as { kernel: unknown }).kernel = weightAt(owner, 'kernel');
    expect(codeOf(() => weightNorm(borrower))).toBe('TIED');
    model.dispose();
  });
});

describe('a shared layer', () => {
  it('has one chain for all its calls', async () => {
    const layer = tf.layers.dense({ units: 2, activation: 'tanh' });
    const [a, b] = [tf.input({ shape: [3] }), tf.input({ shape: [3] })];
    const sum = tf.layers
      .add()
      .apply([layer.apply(a), layer.apply(b)] as tf.SymbolicTensor[]) as tf.SymbolicTensor;
    const model = tf.model({ inputs: [a, b], outputs: sum });
    weightNorm(layer);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const x = tf.randomNormal([4, 3], 0, 1, 'float32', 1);
    const y = tf.zeros([4, 2]);
    const { evaluations } = parametrizationsOn(layer, 'kernel');
    await model.trainOnBatch([x, x], y);
    expect(parametrizationsOn(layer, 'kernel').evaluations).toBe(evaluations + 1);
    disposeModel(model);
    // tfjs counts a layer once for each of its calls.
    layer.dispose();
    tf.dispose([x, y]);
  });
});

describe('a chain whose originals have other shapes', () => {
  const rankOne = {
    forward: (column: tf.Tensor, row: tf.Tensor) => tf.mul(column, row),
    rightInverse: (W: tf.Tensor) => [tf.slice(W, [0, 0], [4, 1]), tf.ones([1, 3])],
  };

  it('trains, and removal makes a variable of the old name in the old place (law L6)', async () => {
    const model = dense();
    const layer = model.layers[0]!;
    const kernel = weightAt(layer, 'kernel');
    const { name } = kernel.read() as tf.Variable;
    const x = tf.randomNormal([8, 4], 0, 1, 'float32', 1);
    const y = tf.zeros([8, 3]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await model.fit(x, y, { verbose: 0 });
    const { numTensors } = tf.memory();
    registerParametrization(layer, 'kernel', rankOne);
    syncModel(model);
    const { history } = await model.fit(x, y, { epochs: 3, verbose: 0 });
    expect((history['loss'] as number[]).at(-1)!).toBeLessThan((history['loss'] as number[])[0]!);
    const value = tf.tidy(() => flatten(valueOf(layer, 'kernel')));
    removeParametrizations(layer, 'kernel');
    syncModel(model);
    expect(layer.weights[0]).toBe(kernel);
    expect((kernel.read() as tf.Variable).name).toBe(name);
    expect(kernel.read()).toBeAllClose(value);
    await model.fit(x, y, { verbose: 0 });
    expect(tf.memory().numTensors).toBe(numTensors);
    disposeModel(model);
    tf.dispose([x, y]);
  });
});

describe('a failed registration', () => {
  it('changes nothing (law L5)', () => {
    const model = dense();
    const layer = model.layers[0]!;
    const before = {
      weights: [...model.weights],
      keys: Reflect.ownKeys(layer),
      values: tf.tidy(() => model.getWeights().map(flatten)),
    };
    const kernelKeys = Reflect.ownKeys(weightAt(layer, 'kernel'));
    const { numTensors } = tf.memory();
    const failing = {
      forward: (): tf.Tensor => {
        throw new Error('no');
      },
    };
    expect(() => registerParametrization(layer, 'kernel', failing)).toThrow('no');
    expect(() => registerParametrization(layer, 'kernel', (x) => tf.sum(x))).toThrow('shape');
    expect(() => weightNorm(layer, 'kernel', { dim: 5 })).toThrow('dim 5 is out of range');
    expect(model.weights).toEqual(before.weights);
    expect(Reflect.ownKeys(layer)).toEqual(before.keys);
    expect(Reflect.ownKeys(weightAt(layer, 'kernel'))).toEqual(kernelKeys);
    expect(tf.tidy(() => model.getWeights().map(flatten))).toEqual(before.values);
    expect(tf.memory().numTensors).toBe(numTensors);
    disposeModel(model);
  });
});

describe('a transfer', () => {
  it('lets two layers train the same originals, until removal', () => {
    const [from, to] = [dense(), dense()];
    weightNorm(from.layers[0]!);
    transferParametrizationsAndParams(from.layers[0]!, to.layers[0]!);
    expect(parametrizationsOn(to.layers[0]!, 'kernel').v).toBe(
      parametrizationsOn(from.layers[0]!, 'kernel').v,
    );
    removeParametrizations(to.layers[0]!, 'kernel');
    expect(ends(to.weights)).toEqual(['kernel', 'bias']);
    expect(valueOf(from.layers[0]!, 'kernel')).toBeAllClose(valueOf(to.layers[0]!, 'kernel'));
    from.dispose();
    to.dispose();
  });
});

function codeOf(fn: () => void): string | undefined {
  try {
    fn();
  } catch (error) {
    return (error as ParametrizeError).code;
  }
  return undefined;
}
