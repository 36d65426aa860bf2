import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { cached } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { disposeOptimizer } from '../parametrize/laws/specimens.ts';
import {
  crossEntropyOf,
  legacyMethods,
  methods,
  modelOf,
  optimizerOf,
  step,
  type Trajectory,
  trajectoriesOf,
} from './trajectory.ts';

// The losses and parameters of real PyTorch over twenty steps. Float32 against float64 drifts by 4e-6 at most there.
const tolerance = { relative: 0, absolute: 1e-4 };

function follow(run: Trajectory, method = methods[run.method]!): void {
  const { keyOf } = method;
  const model = modelOf(run, method);
  const optimizer = optimizerOf(run);
  const crossEntropy = crossEntropyOf(run);
  const keys = Object.keys(run.init).map(keyOf);
  expect(Object.keys(model.module.stateDict()).sort()).toEqual(keys.sort());
  const loss = () => crossEntropy.loss(model);
  const checkGradients = (gradients: tf.NamedTensorMap): void => {
    expect(Object.keys(gradients)).toHaveLength(Object.keys(run.grads_step1).length);
    for (const [key, gradient] of Object.entries(run.grads_step1)) {
      const variable = model.module.stateDict()[keyOf(key)] as tf.Variable;
      expect(gradients[variable.name]!, `gradient of ${key}`).toBeAllClose(gradient, {
        relative: 1e-4,
        absolute: 1e-5,
      });
    }
  };
  const tensors = new Set<number>();
  const losses = run.losses.map((_, i) => {
    const cost = step(run, model, optimizer, loss, i === 0 ? checkGradients : () => {});
    const state = model.module.stateDict();
    for (const [key, value] of Object.entries(run.after[i + 1] ?? {})) {
      expect(state[keyOf(key)]!, `${key} after step ${i + 1}`).toBeAllClose(value, tolerance);
    }
    if (i > 0) tensors.add(tf.memory().numTensors);
    return cost;
  });
  expect(losses).toBeAllClose([...run.losses], tolerance);
  expect(tensors.size, 'numbers of tensors over the steps').toBe(1);
  model.module.eval();
  expect(evaluated(loss), 'the loss in eval mode after training').toBeAllClose(
    run.eval_loss_after,
    tolerance,
  );
  crossEntropy.dispose();
  disposeOptimizer(optimizer);
  model.module.dispose();
}

const evaluated = (loss: () => tf.Tensor): number => inTidy(() => loss().dataSync()[0]!);

describe('Training goes the way of torch', () => {
  it.each(trajectoriesOf('plain'))('$model, plain, $optimizer', (run) => follow(run));

  it.each(trajectoriesOf('weight_norm', 'weight_norm_dim_none'))('$model, $method, $optimizer', (run) =>
    follow(run),
  );

  it.each(trajectoriesOf('weight_norm', 'weight_norm_dim_none'))(
    "$model, $method of the hook API under torch's own keys, $optimizer (torch#93)",
    (run) => follow(run, legacyMethods[run.method]),
  );

  it.each(trajectoriesOf('spectral_norm', 'spectral_norm_legacy'))(
    '$model, $method, $optimizer, with the vectors of the power iteration (torch#64, torch#100)',
    (run) => follow(run),
  );

  // In torch weight decay turns the columns of a Householder map to zero, from the second step on; here it does not.
  it.each(
    trajectoriesOf('orthogonal', 'orthogonal_householder_no_trivialization').filter(
      (run) => !run.torch_quirk,
    ),
  )('$model, $method, $optimizer (torch#85)', (run) => follow(run));

  it.each(trajectoriesOf('weight_norm', 'weight_norm_dim_none', 'spectral_norm', 'spectral_norm_legacy'))(
    '$model, $method, $optimizer, in one cached around all steps',
    (run) => cached(() => follow(run)),
  );
});
