import * as tf from '@tensorflow/tfjs-core';
import { alias } from './scope.ts';
import { isAlive } from './variable.ts';

/**
 * Runs `fn` and passes it a function that restores every variable that was assigned in the meantime. Every assignment
 * in tfjs (optimizers, layers, `loadStateDict`) goes through `Variable.prototype.assign`.
 *
 * Only assigned variables are noted, so the cost does not grow with the number of variables.
 */
export function watchingAssignments<T>(fn: (restore: () => void) => T): T {
  const { prototype } = tf.Variable;
  const { assign } = prototype;
  const before = new Map<tf.Variable, tf.Tensor>();
  prototype.assign = function (this: tf.Variable, value: tf.Tensor): void {
    if (!before.has(this)) before.set(this, tf.keep(alias(this as tf.Tensor)));
    assign.call(this, value);
  };
  try {
    return fn(() => {
      for (const [variable, value] of before) {
        if (variable.dataId !== value.dataId && isAlive(variable)) assign.call(variable, value);
      }
    });
  } finally {
    prototype.assign = assign;
    for (const value of before.values()) value.dispose();
  }
}

/**
 * Assigns values to variables, all or none.
 *
 * @throws the error of an assignment; every variable has its old value then
 */
export function assignAll(writes: Iterable<readonly [tf.Variable, tf.Tensor]>): void {
  allOrNone(
    [...writes].map(
      ([variable, value]) =>
        () =>
          variable.assign(value),
    ),
  );
}

/** Runs functions that assign variables. If one throws, every variable gets its old value back. */
export function allOrNone(writes: readonly (() => void)[]): void {
  watchingAssignments((restore) => {
    try {
      for (const write of writes) write();
    } catch (error) {
      restore();
      throw error;
    }
  });
}
