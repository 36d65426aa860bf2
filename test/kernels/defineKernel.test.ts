import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { defineKernel } from '../../src/kernels/defineKernel.ts';
import { inTidy } from '../parametrize/fixtures.ts';

/** Kernels in tfjs operations, so that they run on every backend. */
interface Kernels {
  cube(x: tf.TensorInfo): tf.TensorInfo[];
}

const kernels: Kernels = {
  cube(x) {
    const square = tf.square(x as tf.Tensor);
    return [tf.mul(square, x as tf.Tensor), square];
  },
};

let count = 0;

/** The cube under a name of its own, with a gradient that uses the saved square. */
function define(kernelsInUse: () => Kernels | null, isDifferentiable = true) {
  return defineKernel<Kernels, { factor: number }>(kernelsInUse, {
    name: `test/Cube${count++}`,
    compute: (kernels, { x }) => kernels.cube(x!),
    savedOutputs: [1],
    ...(isDifferentiable && {
      gradient: ([dy], [, square], { factor }) => ({ x: () => tf.mul(dy!, tf.mul(factor, square!)) }),
    }),
  });
}

describe('defineKernel', () => {
  it('runs the kernels of the backend in use, and gives their gradient what it needs', () => {
    inTidy(() => {
      const cube = define(() => kernels);
      const run = (x: tf.Tensor) => cube({ x }, { factor: 3 })![0]!;
      const x = tf.tensor1d([1, 2]);
      expect(run(x)).toBeAllClose([1, 8]);
      expect(tf.grad(run)(x)).toBeAllClose([3, 12]);
    });
  });

  it('returns null and runs nothing where the backend has no kernels', async () => {
    const cube = define(() => null);
    const x = tf.scalar(2);
    const profile = await tf.profile(() => {
      expect(cube({ x }, { factor: 3 })).toBe(null);
      return x;
    });
    expect(profile.kernels).toEqual([]);
    x.dispose();
  });

  it('asks for the kernels on every run, so that another backend has its own', () => {
    inTidy(() => {
      let inUse: Kernels | null = kernels;
      const cube = define(() => inUse);
      const x = tf.scalar(2);
      expect(cube({ x }, { factor: 3 })![0]!).toBeAllClose(8);
      inUse = { cube: (x) => [tf.neg(x as tf.Tensor), tf.ones([])] };
      expect(cube({ x }, { factor: 3 })![0]!).toBeAllClose(-2);
      inUse = null;
      expect(cube({ x }, { factor: 3 })).toBe(null);
    });
  });

  it('leaves a kernel without a gradient undifferentiated', () => {
    inTidy(() => {
      const cube = define(() => kernels, false);
      const run = (x: tf.Tensor) => cube({ x }, { factor: 3 })![0]!;
      expect(run(tf.scalar(2))).toBeAllClose(8);
      expect(() => tf.grad(run)(tf.scalar(2))).toThrow(/gradient/);
    });
  });
});
