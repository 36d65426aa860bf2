import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Linear, LSTM, Module, Sequential, Tanh } from '../../src/nn/index.ts';
import { type Trajectory, tensorOf, trajectoriesOf, trajectoryData } from './golden.ts';

// Twenty steps of training, against the losses and parameters of real PyTorch.

/** The golden mlp, under the golden names. */
class Mlp extends Module {
  l1 = new Linear(4, 8);
  l2 = new Linear(8, 8);
  l3 = new Linear(8, 3);
  forward(x: tf.Tensor): tf.Tensor {
    return this.l3.call(tf.tanh(this.l2.call(tf.tanh(this.l1.call(x)))));
  }
}

/** The golden lstm: the last h into a linear layer. Its own keys have no prefix. */
class LastStep extends LSTM {
  fc = new Linear(5, 2);
  logits(x: tf.Tensor): tf.Tensor {
    const [, [h]] = this.forward(x);
    return this.fc.call(tf.squeeze(h, [0]));
  }
}

function optimizerOf({ optimizer, lr }: Trajectory): tf.Optimizer {
  if (optimizer === 'sgd') return tf.train.sgd(lr);
  if (optimizer === 'adam') return tf.train.adam(lr, 0.9, 0.999, 1e-8);
  throw new Error(`no optimizer ${optimizer}`);
}

function train(run: Trajectory, model: Module, logits: (x: tf.Tensor) => tf.Tensor): void {
  const data = trajectoryData(run.model as 'mlp' | 'lstm');
  const [x, y] = [tensorOf(data.x), tensorOf(data.y)];
  tf.tidy(
    () =>
      void model.loadStateDict(
        Object.fromEntries(Object.entries(run.init).map(([key, value]) => [key, tensorOf(value)])),
      ),
  );
  expect(Object.keys(model.stateDict())).toEqual(Object.keys(run.init));

  const optimizer = optimizerOf(run);
  const crossEntropy = (): tf.Scalar => {
    const scores = logits(x);
    const target = tf.oneHot(tf.cast(y, 'int32'), scores.shape[1]!);
    return tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(scores)), -1)));
  };
  const tensors: number[] = [];
  const losses = run.losses.map((_, step) => {
    const loss = optimizer.minimize(crossEntropy, true, model.parameters())!;
    const value = loss.dataSync()[0]!;
    loss.dispose();
    const wanted = run.after[String(step + 1) as '20'];
    for (const [key, tensor] of Object.entries(wanted ?? {})) {
      expect(model.stateDict()[key]!, `${key} after ${step + 1}`).toBeAllClose(tensor, { absolute: 1e-4 });
    }
    tensors.push(tf.memory().numTensors);
    return value;
  });
  expect(losses).toBeAllClose([...run.losses], { relative: 0, absolute: 1e-4 });
  expect(new Set(tensors.slice(1)).size, 'numbers of tensors over the steps').toBe(1);
  tf.dispose([x, y]);
  optimizer.dispose();
  model.dispose();
}

describe('Training goes the way of torch', () => {
  it.each(trajectoriesOf('mlp'))('for an mlp under $optimizer', (run) => {
    const model = new Mlp();
    train(run, model, (x) => model.call(x));
  });

  it.each(trajectoriesOf('mlp'))('for the same mlp as a Sequential under $optimizer', (run) => {
    const model = new Sequential({
      l1: new Linear(4, 8),
      act1: new Tanh(),
      l2: new Linear(8, 8),
      act2: new Tanh(),
      l3: new Linear(8, 3),
    });
    train(run, model, (x) => model.call(x));
  });

  it.each(trajectoriesOf('lstm'))('for an lstm under $optimizer', (run) => {
    const model = new LastStep(3, 5);
    train(run, model, (x) => model.logits(x));
  });
});
