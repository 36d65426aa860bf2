import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { flatten } from '../toBeAllClose.ts';

// In a process of its own: the guard is installed when it is first imported.

const guarded = Symbol.for('tfjs-parametrize.guarded');

it('wraps nothing where tfjs has no registry of classes and no minimize, and syncOptimizer moves state all the same', async () => {
  const { minimize } = tf.Optimizer.prototype;
  const { SerializationMap } = tf.serialization;
  const { getMap } = SerializationMap;
  Reflect.set(SerializationMap, 'getMap', undefined);
  Reflect.deleteProperty(tf.Optimizer.prototype, 'minimize');
  const { nn, syncOptimizer, weightNorm } = await import('../../src/index.ts');
  tf.Optimizer.prototype.minimize = minimize;
  SerializationMap.getMap = getMap;

  const layer = new nn.Linear(2, 3, { bias: false });
  const x = tf.ones([1, 2]);
  const optimizer = tf.train.adagrad(0.1);
  const step = () =>
    void optimizer.minimize(() => tf.sum(tf.square(layer.call(x))), false, layer.parameters());
  expect([optimizer.applyGradients, optimizer.setWeights, optimizer.minimize].some((f) => guarded in f)).toBe(
    false,
  );
  step();
  weightNorm(layer);
  const slots = () =>
    (optimizer as unknown as { accumulatedGrads: { variable: tf.Variable }[] }).accumulatedGrads.map(
      ({ variable }) => variable,
    );
  const [before] = slots().map(flatten);
  syncOptimizer(optimizer, layer.parameters());
  const [g, v] = layer.parameters();
  expect(slots().map(({ shape }) => shape)).toEqual([g!.shape, v!.shape]);
  expect(flatten(slots()[1]!)).toEqual(before);
  const norms = flatten(g!);
  step();
  expect(flatten(g!)).not.toEqual(norms);
  optimizer.dispose();
  layer.dispose();
  x.dispose();
});
