import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { currentTape, hasGradients, inKernel, recordInputs, recording } from '../../src/engine/tape.ts';

/** The forward of an operation of one's own, around something that is to be looked at there. */
const insideCustomGrad = (look: () => void) =>
  tf.customGrad((x) => {
    look();
    return { value: tf.mul(x as tf.Tensor, 2), gradFunc: (dy: tf.Tensor) => tf.mul(dy, 2) };
  });

describe('recording, currentTape and inKernel', () => {
  it('tell idle, a gradient, and the forward of a customGrad in and outside of one', () => {
    const seen: [string, string, boolean, boolean][] = [];
    const look = (where: string) => () =>
      void seen.push([where, recording(), currentTape() !== null, inKernel()]);
    const x = tf.ones([2]);
    tf.tidy(() => {
      look('outside')();
      insideCustomGrad(look('customGrad outside'))(x);
      tf.grad((y) => {
        look('gradient')();
        const z = insideCustomGrad(look('customGrad inside'))(y);
        tf.tidy(look('tidy in gradient'));
        return tf.sum(z);
      })(x);
      look('after')();
    });
    expect(seen).toEqual([
      ['outside', 'idle', false, false],
      ['customGrad outside', 'idle', false, true],
      ['gradient', 'recording', true, false],
      ['customGrad inside', 'customGradient', false, true],
      ['tidy in gradient', 'recording', true, false],
      ['after', 'idle', false, false],
    ]);
    x.dispose();
  });

  it('share one tape among nested gradients, and have another in the next', () => {
    const tapes: unknown[] = [];
    const x = tf.ones([2]);
    const run = () =>
      tf
        .tidy(() =>
          tf.grad((y) => {
            tapes.push(currentTape());
            const inner = tf.grad((z) => {
              tapes.push(currentTape());
              return tf.sum(tf.square(z));
            })(y);
            tapes.push(currentTape());
            return tf.sum(inner);
          })(x),
        )
        .dispose();
    run();
    run();
    expect(new Set(tapes.slice(0, 3)).size).toBe(1);
    expect(new Set(tapes.slice(3)).size).toBe(1);
    expect(tapes[0]).not.toBe(tapes[3]);
    x.dispose();
  });
});

describe('hasGradients', () => {
  it('is true here, where @tensorflow/tfjs is imported', () => {
    expect(hasGradients()).toBe(true);
  });
});

describe('recordInputs', () => {
  it('gives what the operations took, variables among it, and disposes what they made', () => {
    const [x, y] = [tf.ones([2]), tf.ones([2])];
    const variable = tf.tidy(() => tf.variable(tf.ones([2])));
    const { numTensors } = tf.memory();
    const inputs = recordInputs(() => void tf.mul(tf.add(x, variable), 2))!;
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(inputs.has(x)).toBe(true);
    expect(inputs.has(variable)).toBe(true);
    expect(inputs.has(y)).toBe(false);
    tf.dispose([x, y, variable]);
  });

  it('sees frozen variables, and what a customGrad, a tidy and an inner gradient take', () => {
    const variable = tf.tidy(() => tf.variable(tf.ones([2]), false));
    const uses = [
      () => tf.square(variable as tf.Tensor),
      () => insideCustomGrad(() => {})(variable),
      () => tf.tidy(() => tf.square(variable as tf.Tensor)),
      () => tf.grad((x) => tf.sum(tf.mul(x, variable)))(tf.ones([2])),
    ];
    for (const use of uses) expect(recordInputs(() => void use())!.has(variable)).toBe(true);
    variable.dispose();
  });

  it('tells nothing inside of a customGrad', () => {
    const x = tf.ones([2]);
    let inputs: unknown;
    tf.tidy(() => {
      insideCustomGrad(() => {
        inputs = recordInputs(() => void tf.square(x));
      })(x);
    });
    expect(inputs).toBe(null);
    x.dispose();
  });

  it('records only its own part of a tape that runs already, and leaves that intact', () => {
    const [x, w] = [tf.ones([2]), tf.ones([2])];
    const gradient = tf.grad((y) => {
      const before = tf.square(y);
      const inputs = recordInputs(() => void tf.square(w))!;
      expect(inputs.has(w)).toBe(true);
      expect(inputs.has(y)).toBe(false);
      return tf.sum(tf.mul(before, y));
    })(x);
    expect(gradient).toBeAllClose([3, 3]);
    tf.dispose([x, w, gradient]);
  });

  it('passes on what is thrown, and leaves no tensor, scope or tape', () => {
    const x = tf.ones([2]);
    const { numTensors } = tf.memory();
    expect(() =>
      recordInputs(() => {
        tf.exp(tf.square(x));
        throw new RangeError('mine');
      }),
    ).toThrow('mine');
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(recording()).toBe('idle');
    expect(currentTape()).toBe(null);
    x.dispose();
  });

  it('records nothing of a function that computes nothing', () => {
    expect(recordInputs(() => {})!.size).toBe(0);
  });
});
