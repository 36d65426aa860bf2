import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { cached, describe as describeModel, nn } from '../../../src/index.ts';
import { LstmClassifier } from './lstmClassifier.ts';
import { leavingNothing, numberOf, step, train } from './train.ts';

const tokens = 4;
const length = 5;

/** All kinds of sequences, of which the first token alone decides the class: the LSTM has to remember it. */
function sequences(): { x: tf.Tensor; y: tf.Tensor } {
  const rows = Array.from({ length: 12 }, (_, n) =>
    Array.from({ length }, (_, t) => (t === 0 ? n % tokens : (n * (t + 3) + t * t) % tokens)),
  );
  return {
    x: tf.tensor2d(rows, [rows.length, length], 'int32'),
    y: tf.tensor1d(
      rows.map(([first]) => Number(first! >= tokens / 2)),
      'int32',
    ),
  };
}

/** Trains for so many steps; returns the losses and how often the recurrent weight was read and evaluated. */
function learn(steps: number): { losses: number[]; accuracy: number; counts: number[][] } {
  nn.manualSeed(1);
  const model = new LstmClassifier(tokens, 3, 5, 2);
  const logSoftmax = new nn.LogSoftmax(-1);
  const optimizer = tf.train.adam(0.05);
  const { x, y } = sequences();
  const loss = (): tf.Scalar =>
    tf.tidy(() => {
      const scores = logSoftmax.call(model.call(x));
      return tf.neg(tf.mean(tf.sum(tf.mul(tf.oneHot(y, 2), scores), -1)));
    });
  const counts = (): number[] => {
    const [row] = describeModel(model).rows;
    return [row!.reads, row!.evaluations];
  };

  const afterSteps: number[][] = [];
  const start = counts();
  const losses = train([model], steps, () => {
    const value = step(optimizer, model.parameters(), loss);
    afterSteps.push(counts().map((count, k) => count - start[k]!));
    return value;
  });
  const accuracy = numberOf(() => tf.mean(tf.cast(tf.equal(tf.argMax(model.call(x), -1), y), 'float32')));
  tf.dispose([x, y]);
  optimizer.dispose();
  model.dispose();
  return { losses, accuracy, counts: afterSteps };
}

describe('An LSTM classifier with a weight-normalized recurrent weight', () => {
  it('learns, and evaluates the weight once in a forward pass of several steps', () => {
    const { losses, accuracy, counts } = leavingNothing(() => learn(40));
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    expect(accuracy).toBe(1);
    expect(counts).toEqual(losses.map((_, i) => [i + 1, i + 1]));
  });

  it('has the same losses inside of one cached around all steps', () => {
    const outside = leavingNothing(() => learn(10));
    const inside = leavingNothing(() => cached(() => learn(10)));
    expect(inside).toEqual(outside);
  });
});
