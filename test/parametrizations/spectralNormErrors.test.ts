import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as nn from '../../src/nn/index.ts';
import { SpectralNorm, type SpectralNormOptions, spectralNorm } from '../../src/parametrizations/index.ts';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../src/parametrize/index.ts';
import { failure } from '../parametrize/unchanged.ts';

let layer: nn.Linear;
beforeEach(() => {
  layer = new nn.Linear(4, 3);
});
afterEach(() => layer.dispose());

const normalize = (options: unknown, name: 'weight' | 'bias' = 'weight'): string =>
  failure(() => spectralNorm(layer, name, options as SpectralNormOptions), layer);

describe('spectralNorm refuses', () => {
  it('an axis out of range, with the range', () => {
    expect(normalize({ dim: 2 })).toMatchInlineSnapshot(
      `"OPTION: spectralNorm: dim 2 is out of range for shape [3, 4]: expected an axis from -2 to 1."`,
    );
    expect(normalize({ dim: -3 })).toMatch('OPTION: spectralNorm: dim -3 is out of range for shape [3, 4]');
    expect(normalize({ dim: 1 }, 'bias')).toMatchInlineSnapshot(
      `"OPTION: spectralNorm: dim 1 is out of range for shape [3]: expected an axis from -1 to 0."`,
    );
    for (const dim of [0.5, Number.NaN, '0', [0], {}, null]) {
      if (dim !== null) expect(normalize({ dim })).toMatch('OPTION: spectralNorm: dim ');
    }
  });

  it('a tensor without elements', () => {
    for (const shape of [[0, 3], [3, 0], [0, 3, 3], [0]]) {
      const host = { weight: tf.tidy(() => tf.variable(tf.zeros(shape))) };
      expect(() => spectralNorm(host)).toThrow(
        expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining('no elements') }),
      );
      host.weight.dispose();
    }
  });

  it('a number of iterations that is no positive integer', () => {
    expect(normalize({ nPowerIterations: 0 })).toMatchInlineSnapshot(
      `"OPTION: spectralNorm: nPowerIterations is 0, it must be an integer of at least 1. Pass a whole number."`,
    );
    for (const nPowerIterations of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
      expect(normalize({ nPowerIterations })).toMatch('OPTION: spectralNorm: nPowerIterations is ');
    }
  });

  it('an eps that is no finite number from 0 on', () => {
    expect(normalize({ eps: -1 })).toMatchInlineSnapshot(
      `"OPTION: spectralNorm: eps is -1, it must be a finite number of at least 0."`,
    );
    for (const eps of [Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
      expect(normalize({ eps })).toMatch('OPTION: spectralNorm: eps is ');
    }
  });

  it('a misspelt option, and options that are no object', () => {
    expect(normalize({ nPowerIteration: 2 })).toMatchInlineSnapshot(
      `"OPTION: spectralNorm: 'nPowerIteration' is not an option. Did you mean 'nPowerIterations'? It has: nPowerIterations, eps, dim."`,
    );
    expect(normalize(3)).toMatchInlineSnapshot(
      `"OPTION: spectralNorm: the options are 3, they must be an object with the keys nPowerIterations, eps, dim."`,
    );
    expect(normalize(null)).toMatch('OPTION: ');
  });

  it('a scalar, and a tensor that is not float32', () => {
    const host = { scalar: nn.parameter(tf.scalar(2)), whole: nn.parameter(tf.ones([2, 2], 'int32')) };
    expect(failure(() => spectralNorm(host, 'scalar'), host)).toMatchInlineSnapshot(
      `"OPTION: spectralNorm: dim 0 is out of range for shape []: expected a tensor with axes."`,
    );
    expect(failure(() => spectralNorm(host, 'whole'), host)).toMatchInlineSnapshot(
      `"DTYPE: spectralNorm: expected a float32 tensor, got int32. Cast it first."`,
    );
    tf.dispose(host);
  });

  it('a name that is not there, and a tensor that is null', () => {
    const plain = new nn.Linear(4, 3, { bias: false });
    expect(failure(() => spectralNorm(plain, 'wieght' as 'weight'), plain)).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: spectralNorm: Linear has no parameter or buffer 'wieght'. Did you mean 'weight'? It has: weight."`,
    );
    expect(failure(() => spectralNorm(plain, 'bias'), plain)).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: spectralNorm: Linear.bias is null, so there is nothing to parametrize. It has: weight."`,
    );
    plain.dispose();
  });

  it('bad values that are set later, and keeps the old ones', () => {
    spectralNorm(layer);
    const map = parametrizationsOn(layer, 'weight')[0] as SpectralNorm;
    const set = (change: () => void): string => failure(change, layer, map);
    expect(
      set(() => {
        map.eps = -1;
      }),
    ).toMatch('OPTION: spectralNorm: eps is -1');
    expect(
      set(() => {
        map.nPowerIterations = 0;
      }),
    ).toMatch('OPTION: spectralNorm: nPowerIterations is 0');
    expect([map.eps, map.nPowerIterations]).toEqual([1e-12, 1]);
  });
});

describe('A SpectralNorm refuses', () => {
  it('a tensor of another shape than it was made for', () => {
    const map = new SpectralNorm(layer.weight);
    const other = new nn.Linear(3, 4);
    expect(failure(() => registerParametrization(other, 'weight', map), other, map)).toMatchInlineSnapshot(
      `"SHAPE: spectralNorm: this SpectralNorm was made for shape [3, 4], got [4, 3]. Make one for each tensor: new SpectralNorm(tensor)."`,
    );
    const ofVector = new SpectralNorm(other.bias!);
    expect(failure(() => registerParametrization(other, 'weight', ofVector), other)).toMatch('SHAPE: ');
    other.dispose();
    map.dispose();
  });

  it('a second tensor, which would fight over its vectors', () => {
    const map = new SpectralNorm(layer.weight);
    const other = new nn.Linear(4, 3);
    registerParametrization(layer, 'weight', map);
    expect(failure(() => registerParametrization(other, 'weight', map), layer, other)).toMatchInlineSnapshot(
      `"SHARED: registerParametrization: this SpectralNorm holds tensors and is registered on Linear.weight already. Make one for each tensor."`,
    );
    removeParametrizations(layer, 'weight');
    other.dispose();
    map.dispose();
  });
});
