import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { MeanOnlyBatchNormalization } from '../../src/layers/index.ts';
import { flatten } from '../toBeAllClose.ts';

describe('MeanOnlyBatchNormalization', () => {
  it('takes the mean of the batch away in training, moves its own, and uses that to predict', async () => {
    const norm = new MeanOnlyBatchNormalization({ momentum: 0.5, name: 'norm' });
    const model = tf.sequential({
      layers: [
        tf.layers.inputLayer({ inputShape: [2] }),
        norm,
        tf.layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones', trainable: false }),
      ],
    });
    const [x, y] = [
      tf.tensor2d([
        [1, 4],
        [3, 8],
      ]),
      tf.tensor2d([[-3], [3]]),
    ];
    tf.tidy(() => {
      expect(norm.apply(x, { training: true }) as tf.Tensor).toBeAllClose([
        [-1, -2],
        [1, 2],
      ]);
    });
    expect(norm.getWeights().map((weight) => flatten(weight))).toEqual([
      [0, 0],
      [1, 3],
    ]);
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const history = await model.fit(x, y, { epochs: 1, verbose: 0 });
    expect(history.history['loss']![0]).toBeCloseTo(0, 5);
    expect(flatten(norm.getWeights()[1]!)).toBeAllClose([1.5, 4.5]);
    tf.tidy(() => {
      expect(model.predict(x) as tf.Tensor).toBeAllClose([[-1], [5]]);
    });
    tf.dispose([x, y]);
    model.dispose();
    model.optimizer.dispose();
  });

  it('is saved and loaded with its options and weights', async () => {
    const make = () =>
      tf.sequential({
        layers: [new MeanOnlyBatchNormalization({ axis: 1, momentum: 0.75, inputShape: [3, 4] } as never)],
      });
    const model = make();
    const loaded = await tf.models.modelFromJSON(model.toJSON(null, false) as never);
    expect(loaded.layers[0]).toBeInstanceOf(MeanOnlyBatchNormalization);
    expect(loaded.layers[0]!.getConfig()).toMatchObject({ axis: 1, momentum: 0.75 });
    expect(loaded.layers[0]!.getWeights().map(({ shape }) => shape)).toEqual([[3], [3]]);
    expect(loaded.outputs[0]!.shape).toEqual([null, 3, 4]);
    tf.tidy(() => {
      const x = tf.randomNormal([2, 3, 4]);
      expect(tf.mean(loaded.layers[0]!.apply(x, { training: true }) as tf.Tensor, [0, 2])).toBeAllClose(
        [0, 0, 0],
        {
          absolute: 1e-6,
        },
      );
    });
    model.dispose();
    loaded.dispose();
  });

  it('refuses options and inputs that do not fit', () => {
    expect(() => new MeanOnlyBatchNormalization({ momentum: 2 })).toThrow('momentum is 2');
    expect(() => new MeanOnlyBatchNormalization({ axis: 0.5 })).toThrow('axis is 0.5');
    const norm = new MeanOnlyBatchNormalization();
    expect(() => norm.build([4, null])).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  });
});
