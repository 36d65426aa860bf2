import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { guardSteps } from '../../src/engine/optimizerGuard.ts';
import { disposeOptimizer, optimizers } from '../parametrize/laws/specimens.ts';

const guarded = Symbol.for('tfjs-parametrize.guarded');

const methodsOf = (optimizer: tf.Optimizer) => [optimizer.applyGradients, optimizer.minimize];

it('Each of the seven classes is wrapped once, also by a second copy of the package', async () => {
  const made = Object.values(optimizers).map((create) => create());
  const before = made.map(methodsOf);
  expect(before.flat().filter((method) => !(guarded in method))).toEqual([]);
  const copy = '../../src/engine/optimizerGuard.ts?copy';
  const { guardSteps: other } = (await import(/* @vite-ignore */ copy)) as { guardSteps: unknown };
  expect(other).not.toBe(guardSteps);
  const after = made.map(methodsOf);
  expect(after.flat().every((method, i) => method === before.flat()[i])).toBe(true);
  made.forEach(disposeOptimizer);
});

describe.each(Object.entries(optimizers))('the guard of %s', (name, create) => {
  it('lets variables in another order pass where nothing is computed from them, as tfjs does', () => {
    const [a, b] = [1, 2].map((x) => tf.tidy(() => tf.variable(tf.scalar(x)))) as [tf.Variable, tf.Variable];
    const optimizer = create();
    const loss = () => tf.add(tf.square(a), tf.square(b)) as tf.Scalar;
    optimizer.minimize(loss, false, [a, b]);
    expect(() => optimizer.minimize(loss, false, [b])).not.toThrow();
    disposeOptimizer(optimizer);
    tf.dispose([a, b]);
  });

  it('refuses a new variable once parametrized tensors are computed from it, unless it has no state', () => {
    const [a, b] = [1, 2].map((x) => tf.tidy(() => tf.variable(tf.scalar(x)))) as [tf.Variable, tf.Variable];
    guardSteps([a, b]);
    const optimizer = create();
    const loss = () => tf.add(tf.square(a), tf.square(b)) as tf.Scalar;
    optimizer.minimize(loss, false, [a]);
    const step = () => optimizer.minimize(loss, false, [b]);
    if (name === 'sgd') expect(step).not.toThrow();
    else expect(step).toThrow(expect.objectContaining({ code: 'NOT_SYNCED' }));
    disposeOptimizer(optimizer);
    tf.dispose([a, b]);
  });
});
