import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { ParametrizeError } from '../../src/core/errors.ts';
import type { Module } from '../../src/nn/index.ts';
import { isModule } from '../../src/nn/module/fields.ts';
import { isBuffer } from '../../src/nn/module/parameter.ts';

/** Everything about an object that a failed call must leave as it was. */
function photograph(object: object): Record<string, unknown> {
  const seen: Record<string, unknown> = {
    keys: Reflect.ownKeys(object),
    descriptors: Reflect.ownKeys(object).map((key) => {
      const { value, get, enumerable, writable, configurable } = Object.getOwnPropertyDescriptor(
        object,
        key,
      )!;
      // An array keeps objects by identity, which toEqual compares by content: numbers stand for them.
      return [key, identity(value), identity(get), enumerable, writable, configurable];
    }),
    variables: variablesOf(object).map(([key, variable]) => [
      key,
      identity(variable),
      variable.name,
      variable.trainable,
      isBuffer(variable),
      variable.isDisposed ? 'disposed' : Array.from(variable.dataSync()),
    ]),
  };
  if (isModule(object)) {
    seen['stateDict'] = Object.keys(object.stateDict());
    seen['training'] = object.modules().map((module: Module) => [identity(module), module.training]);
  }
  return seen;
}

const variablesOf = (object: object): [string, tf.Variable][] =>
  isModule(object)
    ? (Object.entries(object.stateDict()) as [string, tf.Variable][])
    : Object.entries(object).filter(
        (entry): entry is [string, tf.Variable] => entry[1] instanceof tf.Variable,
      );

const identities = new WeakMap<object, number>();
let count = 0;

/** A number for each object; other values stand for themselves. */
function identity(value: unknown): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
  if (!identities.has(value)) identities.set(value, ++count);
  return `#${identities.get(value)}`;
}

/**
 * Expects a call to throw and law L5 to hold: nothing about these objects, the registered variables and the memory of tfjs
 * has changed.
 *
 * @returns `CODE: message`, for an inline snapshot; other errors as `Name: message`
 */
export function failure(fn: () => unknown, ...objects: readonly object[]): string {
  const world = () => ({
    objects: objects.map(photograph),
    registered: Object.keys(tf.engine().registeredVariables),
    numTensors: tf.memory().numTensors,
    numBytes: tf.memory().numBytes,
    scopes: (tf.engine().state as unknown as { scopeStack: unknown[] }).scopeStack.length,
    gradientDepth: tf.engine().state.gradientDepth,
    kernelDepth: tf.engine().state.kernelDepth,
  });
  const before = world();
  const error = thrownBy(fn);
  expect(world(), 'state after the failed call').toEqual(before);
  return describeError(error);
}

/** What a function throws; fails if it does not. */
export function thrownBy(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return expect.fail('expected the call to throw');
}

export function describeError(error: unknown): string {
  if (error instanceof ParametrizeError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
