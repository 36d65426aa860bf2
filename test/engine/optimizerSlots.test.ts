import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { arrangeSlots, hasKnownSlots } from '../../src/engine/optimizerSlots.ts';
import { disposeOptimizer, optimizers } from '../parametrize/laws/specimens.ts';
import { flatten } from '../toBeAllClose.ts';

interface Slot {
  originalName: string;
  variable: tf.Variable;
}

/** The arrays in which tfjs keeps state, found without knowing their names. */
const slotArrays = (optimizer: tf.Optimizer): [string, Slot[]][] =>
  Object.entries(optimizer).filter(
    (entry): entry is [string, Slot[]] =>
      Array.isArray(entry[1]) && entry[1].length > 0 && 'originalName' in entry[1][0],
  );

const make = (...names: string[]): tf.Variable[] =>
  names.map((name, i) => tf.tidy(() => tf.variable(tf.fill([2], i + 1), true, name)));

const step = (optimizer: tf.Optimizer, variables: tf.Variable[]): void => {
  optimizer.minimize(
    () => tf.addN(variables.map((variable, i) => tf.sum(tf.mul(tf.square(variable), 10 ** i)))) as tf.Scalar,
    false,
    variables,
  );
};

describe.each(Object.entries(optimizers))('the slots of %s', (name, create) => {
  it('are known', () => {
    const optimizer = create();
    expect(hasKnownSlots(optimizer)).toBe(true);
    disposeOptimizer(optimizer);
  });

  it('are all arranged: none is forgotten', () => {
    const [a, b, c] = make('a', 'b/kernel', 'c') as [tf.Variable, tf.Variable, tf.Variable];
    const optimizer = create();
    step(optimizer, [a, b, c]);
    const values = slotArrays(optimizer).map(([field, slots]) => [
      field,
      slots.map(({ originalName, variable }) => [originalName, flatten(variable)]),
    ]);
    expect(values.length).toBe({ sgd: 0, momentum: 1, adagrad: 1, rmsprop: 3 }[name] ?? 2);
    arrangeSlots(optimizer, [c, a, b], [2, 0, 1]);
    const arranged = slotArrays(optimizer).map(([field, slots]) => [
      field,
      slots.map(({ originalName, variable }) => [originalName, flatten(variable)]),
    ]);
    expect(arranged).toEqual(values.map(([field, slots]) => [field, [slots![2], slots![0], slots![1]]]));
    disposeOptimizer(optimizer);
    tf.dispose([a, b, c]);
  });

  it('of vanished variables are disposed, and new ones begin as tfjs begins them', () => {
    const [a, b, c] = make('a', 'b', 'c') as [tf.Variable, tf.Variable, tf.Variable];
    const [optimizer, fresh] = [create(), create()];
    step(optimizer, [a, b]);
    const { numTensors } = tf.memory();
    const old = slotArrays(optimizer).flatMap(([, slots]) => slots[1]!.variable);
    arrangeSlots(optimizer, [c, a], [undefined, 0]);
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(old.every((variable) => variable.isDisposed)).toBe(true);
    const first = slotArrays(optimizer).map(([field, slots]) => [field, flatten(slots[0]!.variable)]);
    const initial =
      (optimizer as unknown as { initialAccumulatorValue?: number }).initialAccumulatorValue ?? 0;
    for (const [, values] of first) expect(values).toBeAllClose([initial, initial]);
    expect(
      slotArrays(optimizer).flatMap(([, slots]) => slots.map(({ variable }) => variable.trainable)),
    ).not.toContain(true);
    disposeOptimizer(optimizer);
    disposeOptimizer(fresh);
    tf.dispose([a, b, c]);
  });

  // tfjs cannot save the state of adamax.
  it.skipIf(name === 'adamax')('are saved by tfjs afterwards in their new order', async () => {
    const [a, b] = make('a', 'b') as [tf.Variable, tf.Variable];
    const optimizer = create();
    step(optimizer, [a, b]);
    arrangeSlots(optimizer, [b, a], [1, 0]);
    const saved = await optimizer.getWeights();
    const names = slotArrays(optimizer).flatMap(([, slots]) => slots.map(({ originalName }) => originalName));
    expect(saved.map((weight) => weight.name).slice(1)).toEqual(names);
    saved[0]!.tensor.dispose();
    disposeOptimizer(optimizer);
    tf.dispose([a, b]);
  });
});

describe('hasKnownSlots', () => {
  it('is false for an optimizer that keeps its state elsewhere', () => {
    const mine = { getClassName: () => 'Mine', applyGradients: () => {} } as unknown as tf.Optimizer;
    expect(hasKnownSlots(mine)).toBe(false);
  });
});
