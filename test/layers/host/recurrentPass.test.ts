import * as tf from '@tensorflow/tfjs';
import {
  cached,
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  spectralNorm,
  weightNorm,
} from 'tfjs-parametrize';
import { syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { flatten } from '../../toBeAllClose.ts';
import { at, disposeModel, layerCases, layerOf, modelOf, setNumbers } from '../layerCases.ts';

const recurrent = ['SimpleRNN', 'GRU', 'LSTM', 'RNN of stacked cells', 'Bidirectional', 'TimeDistributed'];

/** Draws a mask in every evaluation, in training mode. */
class Masked extends Parametrization {
  draws = 0;

  override forward(X: tf.Tensor): tf.Tensor {
    if (!this.training) return tf.mul(X, 0.75);
    return tf.mul(X, tf.randomUniform(X.shape, 0.5, 1, 'float32', ++this.draws));
  }

  override rightInverse(W: tf.Tensor): tf.Tensor {
    return tf.clone(W);
  }
}

describe.each(recurrent)('one forward pass of %s', (name) => {
  it('evaluates each kernel once over 100 time steps, in predict and in each step of fit', async () => {
    const layerCase = { ...layerCases[name]!, inputShape: [100, 2] };
    const model = modelOf(layerCase);
    const lists = layerCase.kernels.map((path) => {
      const { host, name } = at(layerOf(model), path);
      weightNorm(host, name as never);
      return parametrizationsOn(host, name);
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const x = tf.randomNormal([4, 100, 2], 0, 1, 'float32', 1);
    const y = tf.zeros([4, 1]);
    const evaluationsOf = async (fn: () => unknown): Promise<number[]> => {
      const before = lists.map(({ evaluations }) => evaluations);
      tf.dispose((await fn()) as tf.Tensor);
      return lists.map(({ evaluations }, i) => evaluations - before[i]!);
    };
    const once = lists.map(() => 1);
    const step = () => model.trainOnBatch(x, y).then(() => undefined);
    expect(await evaluationsOf(step)).toEqual(once);
    expect(await evaluationsOf(() => model.predict(x))).toEqual(once);
    expect(await evaluationsOf(step)).toEqual(once);
    expect(await evaluationsOf(step)).toEqual(once);
    const three = await evaluationsOf(async () => {
      await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0 });
    });
    expect(three).toEqual(lists.map(() => 3));
    disposeModel(model);
    tf.dispose([x, y]);
  });
});

describe('one forward pass', () => {
  const makeModel = (): tf.Sequential => {
    const model = tf.sequential({ layers: [tf.layers.lstm({ units: 3, inputShape: [6, 2] })] });
    setNumbers(model, 3);
    return model;
  };
  const cellOf = (model: tf.Sequential): tf.RNN['cell'] => (model.layers[0] as tf.RNN).cell;

  it('makes one power iteration in training, none in predict', async () => {
    const model = makeModel();
    spectralNorm(cellOf(model), 'recurrentKernel', { nPowerIterations: 1 });
    const list = parametrizationsOn(cellOf(model), 'recurrentKernel');
    const { _u } = list[0] as unknown as { _u: tf.Variable };
    let writes = 0;
    const { assign } = _u;
    _u.assign = (value) => {
      writes++;
      assign.call(_u, value);
    };
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const x = tf.randomNormal([2, 6, 2], 0, 1, 'float32', 1);
    const y = tf.zeros([2, 3]);
    await model.trainOnBatch(x, y);
    expect(writes).toBe(1);
    tf.dispose(model.predict(x));
    expect(writes).toBe(1);
    await model.fit(x, y, { epochs: 2, verbose: 0, validationData: [x, y] });
    expect(writes).toBe(3);
    disposeModel(model);
    tf.dispose([x, y]);
  });

  it('draws a random map once, and differentiates that draw', () => {
    const model = makeModel();
    const cell = cellOf(model);
    const map = new Masked();
    registerParametrization(cell, 'recurrentKernel', map);
    const original = parametrizationsOn(cell, 'recurrentKernel').original!;
    const x = tf.randomNormal([2, 6, 2], 0, 1, 'float32', 1);
    tf.tidy(() => {
      const loss = (): tf.Scalar => tf.sum(tf.square(model.apply(x, { training: true }) as tf.Tensor));
      const { grads } = tf.variableGrads(loss, [original]);
      expect(map.draws).toBe(1);
      // The same draw as a constant: the gradient of the plain kernel, times the mask.
      const mask = tf.randomUniform(original.shape, 0.5, 1, 'float32', 1);
      const twin = makeModel();
      const kernel = (cellOf(twin) as unknown as { recurrentKernel: tf.LayerVariable }).recurrentKernel;
      kernel.write(tf.mul(original, mask));
      const plain = kernel.read() as tf.Variable;
      const wanted = tf.variableGrads(
        () => tf.sum(tf.square(twin.apply(x, { training: true }) as tf.Tensor)),
        [plain],
      ).grads[plain.name]!;
      expect(grads[original.name]).toBeAllClose(tf.mul(wanted, mask), { absolute: 1e-6 });
      twin.dispose();
    });
    model.dispose();
    x.dispose();
  });

  it('is one entry for each direction and each call, and changes nothing for plain models', async () => {
    const model = makeModel();
    const map = new Masked();
    registerParametrization(cellOf(model), 'recurrentKernel', map);
    const x = tf.randomNormal([2, 6, 2], 0, 1, 'float32', 1);
    const y = tf.zeros([2, 3]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await model.fit(x, y, { epochs: 4, verbose: 0 });
    expect(map.draws).toBe(4);
    const plain = makeModel();
    const output = plain.predict(x) as tf.Tensor;
    const twice = cached(() => plain.predict(x)) as tf.Tensor;
    expect(flatten(output)).toEqual(flatten(twice));
    disposeModel(model);
    syncModel(plain).dispose();
    tf.dispose([x, y, output, twice]);
  });
});
