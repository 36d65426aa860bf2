import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import * as nn from '../../src/nn/index.ts';
import { type SpectralNorm, spectralNorm } from '../../src/parametrizations/index.ts';
import { cached, parametrizationsOn, removeParametrizations } from '../../src/parametrize/index.ts';
import golden from '../golden/spectral_norm.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { layerOf, passOf, spectralCases } from './spectralGolden.ts';

const cases = spectralCases('parametrizations');

const mapOf = (host: object, name = 'weight'): SpectralNorm =>
  parametrizationsOn(host, name)[0] as SpectralNorm;

const set = (variable: tf.Variable, value: GoldenTensor): void =>
  inTidy(() => variable.assign(tensorOf(value)));

describe('spectralNorm in a layer, as torch', () => {
  it.each(cases)('$module, dim $dim (torch#61, torch#73, torch#76)', (run) => {
    const layer = layerOf(run);
    spectralNorm(layer, 'weight', {
      nPowerIterations: run.n_power_iterations,
      ...(run.dim === run.default_dim ? {} : { dim: run.dim }),
    });
    const map = mapOf(layer);
    expect(Object.keys(layer.stateDict())).toEqual(run.keys);
    expect(map.dim).toBe(run.dim);
    expect(map._u!.shape).toEqual(run.u0.shape);
    expect(map._v!.shape).toEqual(run.v0.shape);
    const original = parametrizationsOn(layer, 'weight').original!;
    set(original, run.original!);
    set(map._u!, run.u0);
    set(map._v!, run.v0);
    if (run.bias !== null) set((layer as unknown as { bias: tf.Variable }).bias, run.bias);

    for (const [i, step] of run.steps.entries()) {
      const { output, weight, gradient } = passOf(layer, original, run, step);
      expect(output, `output of step ${i}`).toBeAllClose(step.output);
      expect(weight, `weight of step ${i}`).toBeAllClose(step.weight);
      expect(map._u!, `u of step ${i}`).toBeAllClose(step.u);
      expect(map._v!, `v of step ${i}`).toBeAllClose(step.v);
      expect(gradient, `gradient of step ${i}`).toBeAllClose(step.d_original, { absolute: 1e-5 });
    }
    // Torch moves the iteration once more when it removes in training mode; here no removal does.
    layer.train();
    removeParametrizations(layer, 'weight');
    expect(layer.weight).toBeAllClose(run.removed_weight);
    layer.dispose();
  });
});

describe('spectralNorm, as torch', () => {
  const [vector, , reads] = golden.extra as unknown as [
    { original: GoldenTensor; value: GoldenTensor; keys: string[] },
    unknown,
    { original: GoldenTensor; u0: GoldenTensor; v0: GoldenTensor; reads: Read[]; cached: Read },
  ];
  interface Read {
    readonly weight: GoldenTensor;
    readonly u: GoldenTensor;
    readonly v: GoldenTensor;
  }

  it('divides a vector by its norm and has no buffers for it', () => {
    const layer = new nn.Linear(3, 4);
    spectralNorm(layer, 'bias');
    expect(Object.keys(layer.stateDict())).toEqual(vector.keys);
    set(parametrizationsOn(layer, 'bias').original!, vector.original!);
    inTidy(() => expect(layer.bias!).toBeAllClose(vector.value));
    layer.dispose();
  });

  it('moves the iteration with each read in training mode, once in cached', () => {
    const start = (): nn.Linear => {
      const layer = new nn.Linear(4, 3);
      spectralNorm(layer);
      set(parametrizationsOn(layer, 'weight').original!, reads.original!);
      set(mapOf(layer)._u!, reads.u0);
      set(mapOf(layer)._v!, reads.v0);
      return layer;
    };
    const check = (layer: nn.Linear, read: Read): void => {
      inTidy(() => expect(layer.weight).toBeAllClose(read.weight));
      expect(mapOf(layer)._u!).toBeAllClose(read.u);
      expect(mapOf(layer)._v!).toBeAllClose(read.v);
    };
    const layer = start();
    for (const read of reads.reads) check(layer, read);
    const inScope = start();
    cached(() => {
      for (let i = 0; i < 3; i++) check(inScope, reads.cached);
    });
    layer.dispose();
    inScope.dispose();
  });

  it('keeps a weight of zeros and its vectors, where torch gives NaN', () => {
    const layer = new nn.Linear(3, 3, { bias: false });
    inTidy(() => (layer.weight as tf.Variable).assign(tf.zeros([3, 3])));
    spectralNorm(layer);
    const original = parametrizationsOn(layer, 'weight').original!;
    tf.tidy(() => {
      for (let i = 0; i < 3; i++) expect(layer.weight).toBeAllClose(tf.zeros([3, 3]));
      expect(tf.norm(mapOf(layer)._u!)).toBeAllClose(tf.scalar(1));
      expect(tf.norm(mapOf(layer)._v!)).toBeAllClose(tf.scalar(1));
      // The gradient of the identity: the layer can be trained.
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(layer.weight, 2)) as tf.Scalar, [original]);
      expect(grads[original.name]!).toBeAllClose(tf.fill([3, 3], 2));
    });
    layer.dispose();
  });
});
