import * as tf from '@tensorflow/tfjs-core';
import type { nn } from '../../src/index.ts';
import { removeSpectralNorm, removeWeightNorm, spectralNorm, weightNorm } from '../../src/legacy/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';

/** The two normalizations of the hook API, to run the same test on. */
export const normalizations = {
  weightNorm: {
    register: (module: nn.Module, name = 'weight'): void => void weightNorm(module, name),
    remove: removeWeightNorm as (module: nn.Module, name?: string) => nn.Module,
    suffixes: ['_g', '_v'],
  },
  spectralNorm: {
    register: (module: nn.Module, name = 'weight'): void => void spectralNorm(module, name),
    remove: removeSpectralNorm as (module: nn.Module, name?: string) => nn.Module,
    suffixes: ['_orig', '_u', '_v'],
  },
};

export type Normalization = keyof typeof normalizations;

export const keysOf = (module: nn.Module): string[] => Object.keys(module.stateDict());

/** Every parameter and buffer as plain numbers. */
export const stateOf = (module: nn.Module): Record<string, number[]> =>
  Object.fromEntries(Object.entries(module.stateDict()).map(([key, value]) => [key, flatten(value)]));

/** A variable that stands in a field of a module. */
export const fieldOf = (module: object, name: string): tf.Variable =>
  (module as Record<string, tf.Variable>)[name]!;

export const write = (variable: tf.Tensor, value: () => tf.Tensor): void =>
  inTidy(() => (variable as tf.Variable).assign(value()));

/** The output of a layer for fixed inputs, as plain numbers. */
export const outputOf = (layer: nn.Linear): number[] =>
  inTidy(() => flatten(layer.call(tf.tensor2d([1, -2, 0.5, 3, -1, 0, 2, 1], [2, 4]))));
