import * as tf from '@tensorflow/tfjs-core';

/** The error that an injection throws. */
class Fault extends Error {
  override name = 'Fault';
}

type Method = (...args: unknown[]) => unknown;

/** The result of {@link injectFault}. */
export interface Injection {
  /** The number of steps that have run. */
  readonly steps: number;
  /** The error of the function; null if it did not fail. */
  readonly error: unknown;
  /** The number of the step that failed; null if the function ended before. */
  readonly at: number | null;
  /** The stack of the fault; empty if the function ended before. */
  readonly stack: string;
}

/**
 * Runs a function in which one step of tfjs throws: the one with this number, of all kernels, all tensors and variables
 * that are made and all assignments.
 *
 * @param from - the number of the step, from 0; -1 for none. Steps at which tfjs would leak are passed over
 */
export async function injectFault(from: number, fn: () => unknown): Promise<Injection> {
  let at = from;
  let steps = 0;
  let stack = '';
  const step = (name: string): void => {
    if (steps++ !== at) return;
    const fault = new Fault(`injected at ${name}, step ${at}`);
    stack = fault.stack ?? '';
    if (/saveTensorsForBackwardMode|saveFunc/.test(stack)) {
      // tfjs itself leaks the tensors that it has saved before.
      at++;
      stack = '';
      return;
    }
    throw fault;
  };
  const restore = [
    ...(['runKernel', 'makeTensor', 'makeVariable'] as const).map((name) => {
      const engine = tf.engine() as unknown as Record<string, Method>;
      const real = engine[name]!;
      const isOwn = Object.hasOwn(engine, name);
      engine[name] = function (this: unknown, ...args) {
        step(name === 'runKernel' ? `kernel ${String(args[0])}` : name);
        return real.apply(this, args);
      };
      return () => {
        if (isOwn) engine[name] = real;
        else Reflect.deleteProperty(engine, name);
      };
    }),
    (() => {
      const prototype = tf.Variable.prototype as unknown as Record<string, Method>;
      const real = prototype['assign']!;
      prototype['assign'] = function (this: unknown, ...args) {
        step('assign');
        return real.apply(this, args);
      };
      return () => {
        prototype['assign'] = real;
      };
    })(),
  ];
  let error: unknown = null;
  try {
    await fn();
  } catch (thrown) {
    error = thrown ?? 'nothing';
  } finally {
    for (const undo of restore) undo();
  }
  return { steps, error, at: stack === '' ? null : at, stack };
}
