import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { nn } from '../../../src/index.ts';

/** What tfjs holds, on the side of the engine and on that of the backend. */
function held(): Record<string, number> {
  const { numTensors, numBytes, numDataBuffers } = tf.memory();
  return { numTensors, numBytes, numDataBuffers, inBackend: tf.engine().backend.numDataIds() };
}

/** Runs a function that makes models and disposes them, and expects that nothing is left. */
export function leavingNothing<T>(fn: () => T): T {
  const before = held();
  const result = fn();
  expect(held(), 'held by tfjs afterwards').toEqual(before);
  return result;
}

/** One step of an optimizer over these parameters; returns the loss before it. */
export function step(optimizer: tf.Optimizer, parameters: tf.Variable[], loss: () => tf.Scalar): number {
  return tf.tidy(() => {
    const { value, grads } = tf.variableGrads(loss, parameters);
    optimizer.applyGradients(grads);
    return value.dataSync()[0]!;
  });
}

/**
 * Runs training steps, and expects that they hold nothing between them and that every parameter of the models moves.
 *
 * @returns what the steps return
 */
export function train<T>(models: readonly nn.Module[], steps: number, run: (step: number) => T): T[] {
  const parameters = models.flatMap((model) => model.namedParameters());
  const start = parameters.map(([, variable]) => variable.dataSync().slice());
  let between: Record<string, number> | undefined;
  const results = Array.from({ length: steps }, (_, i) => {
    const result = run(i);
    // The first step makes the slots of the optimizers.
    between ??= held();
    expect(held(), `held by tfjs after step ${i}`).toEqual(between);
    return result;
  });
  const still = parameters.filter(([, variable], i) =>
    variable.dataSync().every((value, k) => value === start[i]![k]),
  );
  expect(
    still.map(([key]) => key),
    'parameters that did not move',
  ).toEqual([]);
  return results;
}

/** Reads a number and frees its tensor. */
export const numberOf = (fn: () => tf.Tensor): number => tf.tidy(() => fn().dataSync()[0]!);
