import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { Module } from '../../src/nn/index.ts';
import { type GoldenTensor, type LayerCase, tensorOf } from './golden.ts';

/** Loads the weights of a golden case, runs the module forward and backward, compares, and disposes the module. */
export function expectLayerCase(
  module: Module,
  golden: LayerCase,
  forward: (x: tf.Tensor) => tf.Tensor = (x) => module.call(x),
): void {
  const weights: Record<string, GoldenTensor> = { ...golden.other_params, [golden.param]: golden.weight };
  tf.tidy(() => {
    module.loadStateDict(
      Object.fromEntries(Object.entries(weights).map(([key, value]) => [key, tensorOf(value)])),
    );
    const x = tensorOf(golden.input);
    expect(forward(x)).toBeAllClose(tensorOf(golden.output));

    const dy = tensorOf(golden.grad_output);
    const loss = () => tf.sum(tf.mul(forward(x), dy)) as tf.Scalar;
    const { grads } = tf.variableGrads(loss, module.parameters());
    const wanted = Object.entries(golden.other_grads);
    expect(wanted.map(([key]) => key).sort()).toEqual(Object.keys(golden.other_params).sort());
    const state = module.stateDict();
    for (const [key, value] of wanted) {
      expect(grads[(state[key] as tf.Variable).name], key).toBeAllClose(tensorOf(value), { absolute: 1e-5 });
    }
    if (golden.dx !== null) {
      const dx = tf.grad((input) => tf.sum(tf.mul(forward(input), dy)))(x);
      expect(dx).toBeAllClose(tensorOf(golden.dx), { absolute: 1e-5 });
    }
  });
  module.dispose();
}
