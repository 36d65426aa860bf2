import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { concernsUs, markComputing, ownersOf, setOwners } from '../../src/engine/optimizerOwners.ts';
import { isAutomaticName } from '../../src/engine/variable.ts';

describe('the owners of state', () => {
  it('are the variables of the step that made it, and those that are set', () => {
    const [a, b] = [1, 2].map((x) => tf.tidy(() => tf.variable(tf.scalar(x)))) as [tf.Variable, tf.Variable];
    const optimizer = tf.train.adagrad(0.1);
    expect(ownersOf(optimizer)).toBe(undefined);
    optimizer.minimize(() => tf.add(a, b) as tf.Scalar, false, [b, a]);
    expect((ownersOf(optimizer) as tf.Variable[]).map(({ name }) => name)).toEqual([b.name, a.name]);
    setOwners(optimizer, [a, b]);
    expect((ownersOf(optimizer) as tf.Variable[]).map(({ name }) => name)).toEqual([a.name, b.name]);
    optimizer.dispose();
    tf.dispose([a, b]);
  });

  it('concern the package only if a parametrized tensor is computed from one', () => {
    const [a, b] = [1, 2].map((x) => tf.tidy(() => tf.variable(tf.scalar(x)))) as [tf.Variable, tf.Variable];
    markComputing([a]);
    expect([concernsUs([b, undefined]), concernsUs([b], [a])]).toEqual([false, true]);
    tf.dispose([a, b]);
  });
});

it('A name is automatic if tfjs numbered it', () => {
  expect(['12', '12/original0', 'dense_Dense1/kernel'].map(isAutomaticName)).toEqual([true, true, true]);
  expect(['kernel', 'encoder/kernel', 'a12'].map(isAutomaticName)).toEqual([false, false, false]);
});
