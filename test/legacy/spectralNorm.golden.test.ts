import type * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { removeSpectralNorm, spectralNorm } from '../../src/legacy/index.ts';
import type { GoldenTensor } from '../nn/golden.ts';
import { tensorOf } from '../nn/golden.ts';
import { layerOf, passOf, spectralCases } from '../parametrizations/spectralGolden.ts';
import { inTidy } from '../parametrize/fixtures.ts';

const set = (variable: tf.Tensor, value: GoldenTensor): void =>
  inTidy(() => (variable as tf.Variable).assign(tensorOf(value)));

describe('legacy.spectralNorm in a layer, as torch', () => {
  it.each(spectralCases('legacy'))('$module, dim $dim (torch#99, torch#100)', (run) => {
    const layer = spectralNorm(layerOf(run), 'weight', {
      nPowerIterations: run.n_power_iterations,
      ...(run.dim === run.default_dim ? {} : { dim: run.dim }),
    });
    expect(Object.keys(layer.stateDict())).toEqual(run.keys);
    expect(layer.weight_u.shape).toEqual(run.u0.shape);
    expect(layer.weight_v.shape).toEqual(run.v0.shape);
    set(layer.weight_orig, run.original);
    set(layer.weight_u, run.u0);
    set(layer.weight_v, run.v0);
    if (run.bias !== null) set((layer as unknown as { bias: tf.Tensor }).bias, run.bias);
    for (const [i, step] of run.steps.entries()) {
      const { output, weight, gradient } = passOf(layer, layer.weight_orig, run, step);
      expect(output, `output of step ${i}`).toBeAllClose(step.output);
      expect(weight, `weight of step ${i}`).toBeAllClose(step.weight);
      expect(layer.weight_u, `u of step ${i}`).toBeAllClose(step.u);
      expect(layer.weight_v, `v of step ${i}`).toBeAllClose(step.v);
      expect(gradient, `gradient of step ${i}`).toBeAllClose(step.d_original, { absolute: 1e-5 });
    }
    // The golden weight is that after one more pass in training mode; the removal itself makes no iteration.
    layer.train();
    inTidy(() => void layer.call(tensorOf(run.input)));
    removeSpectralNorm(layer);
    expect(layer.weight).toBeAllClose(run.removed_weight);
    layer.dispose();
  });
});
