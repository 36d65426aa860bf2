import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { cached, describe as describeModel, nn } from '../../../src/index.ts';
import { example } from '../gradientCheck.ts';
import { Tcn } from './tcn.ts';
import { leavingNothing, numberOf, step, train } from './train.ts';

const delay = 3;
const steps = 40;

/** Learns to repeat the input of three steps ago, from seven steps that it can see. */
function learn(): {
  start: number;
  losses: number[];
  end: number;
  counts: [reads: number, evaluations: number][];
} {
  nn.manualSeed(1);
  const model = new Tcn(1, [6, 8], 1, 0.05);
  const optimizer = tf.train.adam(0.02);
  const x = tf.randomUniform([8, 1, 16], -1, 1, 'float32', 5);
  const loss = (): tf.Scalar =>
    tf.tidy(() => {
      const wanted = tf.slice(x, [0, 0, 0], [-1, -1, 16 - delay]);
      return tf.mean(tf.square(tf.sub(tf.slice(model.call(x), [0, 0, delay]), wanted)));
    });
  const inEvaluation = (): number => {
    model.eval();
    const value = numberOf(loss);
    model.train();
    return value;
  };

  const start = inEvaluation();
  const before = describeModel(model).rows;
  const losses = train([model], steps, () => step(optimizer, model.parameters(), loss));
  const after = describeModel(model).rows;
  const end = inEvaluation();
  tf.dispose(x);
  optimizer.dispose();
  model.dispose();
  const counts = after.map(({ reads, evaluations }, i): [number, number] => [
    reads - before[i]!.reads,
    evaluations - before[i]!.evaluations,
  ]);
  return { start, losses, end, counts };
}

describe('A weight-normalized TCN', () => {
  it('learns, and reads and evaluates each weight once a step', () => {
    const { start, end, losses, counts } = leavingNothing(learn);
    expect(end).toBeLessThan(start / 2);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    expect(counts).toEqual(Array(4).fill([steps, steps]));
  });

  it('has the same losses inside of one cached around all steps', () => {
    const outside = leavingNothing(learn);
    const inside = leavingNothing(() => cached(learn));
    expect(inside).toEqual(outside);
  });

  it('sees the past only, as far back as its blocks reach', () => {
    leavingNothing(() => {
      nn.manualSeed(1);
      const model = new Tcn(2, [3, 3], 1, 0.5).eval();
      const x = example([1, 2, 12]);
      // Of the square: a ReLU that is off at one point would hide a path that is there.
      const seen = tf.tidy(() => {
        const inputs = Array.from({ length: 8 }, (_, i) => tf.mul(x, tf.scalar((i % 2 ? -1 : 1) * (i + 1))));
        const at = (z: tf.Tensor): tf.Scalar =>
          tf.sum(tf.square(tf.slice(model.call(z), [0, 0, 8], [-1, -1, 1])));
        return tf.sum(tf.abs(tf.stack(inputs.map((z) => tf.grad(at)(z)))), [0, 1, 2]).dataSync();
      });
      expect(Array.from(seen, (value) => value !== 0)).toEqual(
        Array.from({ length: 12 }, (_, t) => t >= 8 - 6 && t <= 8),
      );
      tf.dispose(x);
      model.dispose();
    });
  });

  it('has the keys of its published form', () => {
    const model = new Tcn(1, [2, 2], 1, 0);
    expect(Object.keys(model.stateDict()).filter((key) => key.startsWith('network.0.conv1'))).toEqual([
      'network.0.conv1.bias',
      'network.0.conv1.parametrizations.weight.original0',
      'network.0.conv1.parametrizations.weight.original1',
    ]);
    model.dispose();
  });
});
