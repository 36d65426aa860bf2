import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { registerGradientOnce, registerKernelOnce, runRecorded } from '../../src/engine/recordedKernel.ts';
import { inTidy } from '../parametrize/fixtures.ts';

const name = 'test/Cube';

/** A kernel in tfjs operations, so that it runs on every backend: `x³`, and x², which its gradient uses. */
function cube(x: tf.Tensor): tf.Tensor {
  registerKernelOnce({
    kernelName: name,
    backendName: tf.getBackend(),
    kernelFunc: ({ inputs }) => {
      const x = inputs['x'] as tf.Tensor;
      const square = tf.square(x);
      return [tf.mul(square, x), square];
    },
  });
  registerGradientOnce(name, (dys, saved) => {
    const [x, square] = saved as [tf.Tensor, tf.Tensor];
    // The saved output is a constant to tfjs: for a second gradient x² has to be made of the saved input.
    expect(square).toBeAllClose(tf.square(x));
    return { x: () => tf.mul((dys as tf.Tensor[])[0]!, tf.mul(3, tf.square(x))) };
  });
  const [y, square] = runRecorded(name, { x }, {}, (i) => i === 1)!;
  square!.dispose();
  return y!;
}

const state = () => ({
  tensors: tf.memory().numTensors,
  bytes: tf.memory().numBytes,
  data: tf.backend().numDataIds(),
});

describe('runRecorded', () => {
  it('runs a kernel that is not recorded and keeps nothing', () => {
    const x = tf.tensor1d([1, 2]);
    const before = state();
    const y = cube(x);
    inTidy(() => expect(y).toBeAllClose([1, 8]));
    y.dispose();
    expect(state()).toEqual(before);
    x.dispose();
  });

  it('saves what the gradient needs, without copying it, until the gradient is computed', () => {
    const x = tf.tensor1d([1, 2]);
    const before = state();
    let inside: ReturnType<typeof state> | undefined;
    const gradient = tf.grad((x) => {
      const y = cube(x);
      inside = state();
      return y;
    })(x);
    // The result and the saved square; the saved x is on the data of x.
    expect(inside!.data - before.data).toBe(2);
    inTidy(() => expect(gradient).toBeAllClose([3, 12]));
    gradient.dispose();
    expect(state()).toEqual(before);
    x.dispose();
  });

  it('finds in the saved tensors what a variable was, whatever is assigned to it meanwhile', () => {
    const x = inTidy(() => tf.variable(tf.tensor1d([1, 2])));
    const before = state();
    const { grads, value } = tf.variableGrads(() => {
      const y = tf.sum(cube(x)) as tf.Scalar;
      tf.tidy(() => x.assign(tf.tensor1d([100, 200])));
      return y;
    });
    inTidy(() => expect(grads[x.name]!).toBeAllClose([3, 12]));
    tf.dispose([grads, value]);
    expect(state()).toEqual(before);
    x.dispose();
  });

  it('is differentiated as often as one likes', () => {
    inTidy(() => {
      const first = (x: tf.Tensor) => tf.sum(tf.grad((y) => cube(y))(x));
      const second = (x: tf.Tensor) => tf.sum(tf.grad(first)(x));
      expect(tf.grad(first)(tf.tensor1d([1, 2]))).toBeAllClose([6, 12]);
      expect(tf.grad(second)(tf.tensor1d([1, 2]))).toBeAllClose([6, 6]);
    });
  });

  it('is differentiated inside a deeper gradient than the one that recorded it', () => {
    inTidy(() => {
      const x = tf.tensor1d([1, 2]);
      // ∂/∂x Σ (∂x³/∂x) = 6x, of a cube that the outer gradient has made.
      const outer = (x: tf.Tensor) => {
        const y = cube(x);
        return tf.sum(tf.grads((_) => tf.sum(y))([x])[0]!);
      };
      expect(tf.grad(outer)(x)).toBeAllClose([6, 12]);
      // Between two gradients: ∂/∂x Σ ∂/∂x (x³ + 3x²) = 6x + 6.
      const between = (x: tf.Tensor) => {
        const y = cube(x);
        const slope = (x: tf.Tensor) => tf.add(tf.sum(y), tf.sum(tf.grads((_) => tf.sum(y))([x])[0]!));
        return tf.sum(tf.grad(slope)(x));
      };
      expect(tf.grad(between)(x)).toBeAllClose([12, 18]);
    });
  });

  it('records nothing in the forward of a custom gradient', () => {
    const x = tf.tensor1d([1, 2]);
    const before = state();
    const op = tf.customGrad((x) => ({
      value: cube(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, 7),
    }));
    const gradient = tf.grad((x) => op(x))(x);
    inTidy(() => expect(gradient).toBeAllClose([7, 7]));
    gradient.dispose();
    expect(state()).toEqual(before);
    x.dispose();
  });
});
