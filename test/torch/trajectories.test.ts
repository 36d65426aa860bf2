import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { cached } from '../../src/index.ts';
import { disposeOptimizer } from '../parametrize/laws/specimens.ts';
import {
  crossEntropyOf,
  keyOf,
  modelOf,
  optimizerOf,
  step,
  type Trajectory,
  trajectoriesOf,
} from './trajectory.ts';

// The losses and parameters of real PyTorch over twenty steps. Float32 against float64 drifts by 4e-6 at most there.
const tolerance = { relative: 0, absolute: 1e-4 };

function follow(run: Trajectory): void {
  const model = modelOf(run);
  const optimizer = optimizerOf(run);
  const crossEntropy = crossEntropyOf(run);
  const keys = Object.keys(run.init).map(keyOf);
  expect(Object.keys(model.module.stateDict()).sort()).toEqual(keys.sort());
  const loss = () => crossEntropy.loss(model);
  tf.tidy(() => {
    const { grads } = tf.variableGrads(loss, model.module.parameters());
    for (const [key, gradient] of Object.entries(run.grads_step1)) {
      const variable = model.module.stateDict()[keyOf(key)] as tf.Variable;
      expect(grads[variable.name]!, `gradient of ${key}`).toBeAllClose(gradient, {
        relative: 1e-4,
        absolute: 1e-5,
      });
    }
  });
  const tensors = new Set<number>();
  const losses = run.losses.map((_, i) => {
    const cost = step(run, model, optimizer, loss);
    const state = model.module.stateDict();
    for (const [key, value] of Object.entries(run.after[i + 1] ?? {})) {
      expect(state[keyOf(key)]!, `${key} after step ${i + 1}`).toBeAllClose(value, tolerance);
    }
    if (i > 0) tensors.add(tf.memory().numTensors);
    return cost;
  });
  expect(losses).toBeAllClose([...run.losses], tolerance);
  expect(tensors.size, 'numbers of tensors over the steps').toBe(1);
  crossEntropy.dispose();
  disposeOptimizer(optimizer);
  model.module.dispose();
}

describe('Training goes the way of torch', () => {
  it.each(trajectoriesOf('plain'))('$model, plain, $optimizer', follow);

  it.each(trajectoriesOf('weight_norm', 'weight_norm_dim_none'))('$model, $method, $optimizer', follow);

  it.each(trajectoriesOf('weight_norm', 'weight_norm_dim_none'))(
    '$model, $method, $optimizer, in one cached around all steps',
    (run) => cached(() => follow(run)),
  );
});
