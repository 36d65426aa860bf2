import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cached,
  describe as describeModel,
  fold,
  isParametrized,
  spectralNorm as modernSpectralNorm,
  weightNorm as modernWeightNorm,
  nn,
  parametrizationsOn,
  syncOptimizer,
} from '../../src/index.ts';
import { spectralNorm, weightNorm } from '../../src/legacy/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { disposeOptimizer, optimizers } from '../parametrize/laws/specimens.ts';
import { flatten } from '../toBeAllClose.ts';
import { keysOf, stateOf } from './fixtures.ts';

const x = [
  [1, -2, 0.5, 3],
  [-1, 0, 2, 1],
];

/** Makes a network whose initial values follow the seed. */
function network(): nn.Sequential {
  nn.manualSeed(12);
  return new nn.Sequential(new nn.Linear(4, 5), new nn.Tanh(), new nn.Linear(5, 2));
}

const layersOf = (model: nn.Module): nn.Linear[] =>
  model.children().filter((child): child is nn.Linear => child instanceof nn.Linear);

const outputOf = (model: nn.Sequential): number[] =>
  inTidy(() => flatten(model.call(tf.tensor2d(x)) as tf.Tensor));

/** Trains some steps; the losses before each. */
function train(model: nn.Sequential, optimizer: tf.Optimizer, steps: number): number[] {
  return Array.from({ length: steps }, () =>
    inTidy(() => {
      const input = tf.tensor2d(x);
      const cost = optimizer.minimize(
        () => tf.mean(tf.square(tf.sub(model.call(input) as tf.Tensor, 1))) as tf.Scalar,
        true,
        model.parameters(),
      )!;
      return cost.dataSync()[0]!;
    }),
  );
}

describe('Training with legacy.weightNorm', () => {
  it.each(Object.keys(optimizers))('goes exactly as with the modern one, also in one cached: %s', (name) => {
    const runs = [
      { normalize: (layer: nn.Linear) => void modernWeightNorm(layer), inScope: false },
      { normalize: (layer: nn.Linear) => void weightNorm(layer), inScope: false },
      { normalize: (layer: nn.Linear) => void weightNorm(layer), inScope: true },
    ].map(({ normalize, inScope }) => {
      const model = network();
      for (const layer of layersOf(model)) normalize(layer);
      const optimizer = optimizers[name]!();
      const losses = inScope ? cached(() => train(model, optimizer, 8)) : train(model, optimizer, 8);
      const output = outputOf(model);
      disposeOptimizer(optimizer);
      model.dispose();
      return { losses, output };
    });
    expect(runs[0]!.losses[7]).toBeLessThan(runs[0]!.losses[0]!);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  it.each(Object.keys(optimizers))(
    'keeps the state of the optimizer by syncOptimizer, there and back: %s',
    (name) => {
      const runs = [
        (layer: nn.Linear) => void modernWeightNorm(layer),
        (layer: nn.Linear) => void weightNorm(layer),
      ].map((normalize) => {
        const model = network();
        const optimizer = optimizers[name]!();
        const losses = train(model, optimizer, 3);
        for (const layer of layersOf(model)) normalize(layer);
        syncOptimizer(optimizer, model.parameters());
        losses.push(...train(model, optimizer, 3));
        expect(fold(model)).toEqual(['0.weight', '2.weight']);
        syncOptimizer(optimizer, model.parameters());
        losses.push(...train(model, optimizer, 3));
        const state = stateOf(model);
        disposeOptimizer(optimizer);
        model.dispose();
        return { losses, state };
      });
      // The order of the parameters differs: in the modern API g and v come after the bias of their layer, as here.
      expect(runs[1]!.losses).toBeAllClose(runs[0]!.losses);
      for (const [key, values] of Object.entries(runs[0]!.state)) {
        expect(runs[1]!.state[key]!, key).toBeAllClose(values);
      }
    },
  );
});

describe('Training with legacy.spectralNorm', () => {
  it.each([false, true])('iterates once for each step, in one cached: %s', (inScope) => {
    const model = network();
    const layers = layersOf(model);
    for (const layer of layers) spectralNorm(layer);
    const [list] = layers.map((layer) => parametrizationsOn(layer, 'weight'));
    const optimizer = tf.train.adam(0.02);
    const { evaluations } = list!;
    const losses = inScope ? cached(() => train(model, optimizer, 6)) : train(model, optimizer, 6);
    expect(list!.evaluations).toBe(evaluations + 6);
    expect(losses[5]).toBeLessThan(losses[0]!);
    optimizer.dispose();
    model.dispose();
  });

  it('goes the same way in cached as outside of it', () => {
    const [plain, scoped] = [false, true].map((inScope) => {
      const model = network();
      for (const layer of layersOf(model)) spectralNorm(layer, 'weight', { nPowerIterations: 2 });
      const optimizer = tf.train.adam(0.02);
      const losses = inScope ? cached(() => train(model, optimizer, 6)) : train(model, optimizer, 6);
      const state = stateOf(model);
      optimizer.dispose();
      model.dispose();
      return { losses, state };
    });
    expect(scoped).toEqual(plain);
  });
});

describe('A model with both APIs', () => {
  let model: nn.Sequential;
  beforeEach(() => {
    model = network();
    const [first, last] = layersOf(model);
    modernSpectralNorm(first!);
    spectralNorm(first!, 'bias');
    weightNorm(last!);
    modernWeightNorm(last!, 'bias', { dim: null });
  });
  afterEach(() => model.dispose());

  it('has the keys of each, on one module too', () => {
    expect(keysOf(model)).toEqual([
      '0.bias_orig',
      '0.bias_u',
      '0.bias_v',
      '0.parametrizations.weight.original',
      '0.parametrizations.weight.0._u',
      '0.parametrizations.weight.0._v',
      '2.weight_g',
      '2.weight_v',
      '2.parametrizations.bias.original0',
      '2.parametrizations.bias.original1',
    ]);
  });

  it('is described as one', () => {
    const { rows } = describeModel(model);
    expect(rows.map(({ path, tensor, chain }) => `${path}.${tensor}: ${chain}`)).toEqual([
      '0.weight: SpectralNorm(nPowerIterations=1, eps=1e-12, dim=0)',
      '0.bias: HookedSpectralNorm(nPowerIterations=1, eps=1e-12, dim=0)',
      '2.weight: WeightNorm(dim=0)',
      '2.bias: WeightNorm(dim=null)',
    ]);
  });

  it('trains, is copied, and is folded to the plain model with the same output', () => {
    const adam = tf.train.adam(0.02);
    const losses = train(model, adam, 4);
    expect(losses[3]).toBeLessThan(losses[0]!);
    adam.dispose();
    model.eval();
    const wanted = outputOf(model);
    const copy = model.clone();
    expect(outputOf(copy)).toEqual(wanted);
    expect(fold(copy)).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
    expect(keysOf(copy)).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
    expect(outputOf(copy)).toBeAllClose(wanted);
    expect(fold(copy)).toEqual([]);
    expect(layersOf(model).every((layer) => isParametrized(layer))).toBe(true);
    expect(outputOf(model)).toEqual(wanted);
    copy.dispose();
  });

  it('leaks nothing, also with reads outside of every tidy', () => {
    const [first, last] = layersOf(model);
    model.eval();
    for (let i = 0; i < 3; i++) for (const layer of [first!, last!]) void [layer.weight, layer.bias];
    model.train();
    const round = (): void => {
      outputOf(model);
      void [last!.weight, last!.bias, first!.bias];
      cached(() => void [last!.weight, first!.weight, first!.bias]);
    };
    round();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) round();
    expect(tf.memory().numTensors).toBe(before);
  });
});
