import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  disposeVariable,
  isAlive,
  isVariable,
  makeVariable,
  renameVariable,
} from '../../src/engine/variable.ts';
import { disposeVariables } from '../ownVariables.ts';

const make = (name?: string, trainable = true): tf.Variable =>
  tf.tidy(() => makeVariable(tf.ones([2]), trainable, name));

const registered = (): Record<string, tf.Variable> => tf.engine().registeredVariables;

describe('isVariable', () => {
  it('is true for variables only', () => {
    const variable = make();
    const tensor = tf.ones([1]);
    expect([variable, tensor, null, undefined, 3, {}].map(isVariable)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    tf.dispose([variable, tensor]);
  });
});

describe('isAlive', () => {
  it('ends with dispose() and with tf.disposeVariables(), which tfjs does not tell', () => {
    const [a, b] = [make(), make()];
    expect([isAlive(a), isAlive(b)]).toEqual([true, true]);
    a.dispose();
    disposeVariables();
    expect([isAlive(a), isAlive(b)]).toEqual([false, false]);
    // As long as tfjs leaves it so, isDisposed alone would not do.
    expect(b.isDisposed).toBe(false);
  });

  it('is not misled by a new variable of the same name', () => {
    const old = make('name of both');
    disposeVariables();
    const young = make('name of both');
    expect([isAlive(old), isAlive(young)]).toEqual([false, true]);
    young.dispose();
  });
});

describe('disposeVariable', () => {
  it('may be called twice, and does not harm others that share the data', () => {
    const value = tf.ones([2]);
    const [a, b] = [makeVariable(value, true), makeVariable(value, true)];
    disposeVariable(a);
    disposeVariable(a);
    expect(b).toBeAllClose([1, 1]);
    value.dispose();
    expect(b).toBeAllClose([1, 1]);
    disposeVariable(b);
  });
});

describe('makeVariable', () => {
  it('takes the wished name, or one with a number if it is taken', () => {
    const made = [make('wish'), make('wish'), make('wish'), make()];
    expect(made.slice(0, 3).map(({ name }) => name)).toEqual(['wish', 'wish_1', 'wish_2']);
    expect(made.every((variable) => registered()[variable.name] === variable)).toBe(true);
    tf.dispose(made);
  });

  it('leaves the value to its owner, whose data it shares until either changes', () => {
    const value = tf.ones([2]);
    const variable = makeVariable(value, false);
    expect(variable.trainable).toBe(false);
    expect(variable.dataId).toBe(value.dataId);
    tf.tidy(() => variable.assign(tf.zeros([2])));
    expect(value).toBeAllClose([1, 1]);
    value.dispose();
    expect(variable).toBeAllClose([0, 0]);
    variable.dispose();
  });
});

describe('renameVariable', () => {
  it('moves the variable in the registry, so that gradients go by the new name', () => {
    const variable = make('before');
    renameVariable(variable, 'after');
    expect(variable.name).toBe('after');
    expect(registered()['before']).toBe(undefined);
    expect(registered()['after']).toBe(variable);
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(variable)) as tf.Scalar);
    expect(Object.keys(grads)).toEqual(['after']);
    tf.dispose([value, grads]);
    variable.dispose();
    expect(registered()['after']).toBe(undefined);
  });

  it('takes a number if the name is taken, and nothing if it is its own', () => {
    const [a, b] = [make('a'), make('b')];
    renameVariable(b, 'b');
    expect(b.name).toBe('b');
    renameVariable(b, 'a');
    expect([a.name, b.name]).toEqual(['a', 'a_1']);
    expect(registered()['a']).toBe(a);
    tf.dispose([a, b]);
  });
});
