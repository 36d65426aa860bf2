import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import {
  skew,
  symmetric,
  WeightNorm,
  type WeightNormOptions,
  weightNorm,
} from '../../../src/parametrizations/index.ts';
import { isParametrized } from '../../../src/parametrize/index.ts';
import { Affine } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

let host: Affine;
beforeEach(() => {
  host = new Affine();
});
afterEach(() => host.dispose());

const normalize = (options: unknown, name: 'weight' | 'bias' = 'weight'): string =>
  failure(() => weightNorm(host, name, options as WeightNormOptions), host);

describe('weightNorm refuses', () => {
  it('an axis out of range, with the range', () => {
    expect(normalize({ dim: 2 })).toMatchInlineSnapshot(
      `"OPTION: weightNorm: dim 2 is out of range for shape [3, 3]: expected an axis from -2 to 1, or null."`,
    );
    expect(normalize({ dim: -3 })).toMatchInlineSnapshot(
      `"OPTION: weightNorm: dim -3 is out of range for shape [3, 3]: expected an axis from -2 to 1, or null."`,
    );
    expect(normalize({ dim: 1 }, 'bias')).toMatchInlineSnapshot(
      `"OPTION: weightNorm: dim 1 is out of range for shape [3]: expected an axis from -1 to 0, or null."`,
    );
    expect(normalize({ dim: [0, 5] })).toMatch('OPTION: weightNorm: dim 5 is out of range');
  });

  it('an axis named twice, also once from the end', () => {
    expect(normalize({ dim: [0, 0] })).toMatchInlineSnapshot(
      `"OPTION: weightNorm: dim [0, 0] names an axis twice."`,
    );
    expect(normalize({ dim: [1, -1] })).toMatchInlineSnapshot(
      `"OPTION: weightNorm: dim [1, -1] names an axis twice."`,
    );
  });

  it('an axis that is no integer', () => {
    expect(normalize({ dim: 0.5 })).toMatchInlineSnapshot(
      `"OPTION: weightNorm: dim is 0.5, it must be an axis, axes or null."`,
    );
    for (const dim of [Number.NaN, Number.POSITIVE_INFINITY, '0', [0, null], {}, true]) {
      expect(normalize({ dim })).toMatch(
        /^OPTION: weightNorm: dim is .*, it must be an axis, axes or null\.$/,
      );
    }
  });

  it('an eps that is no finite number from 0 on', () => {
    expect(normalize({ eps: -1 })).toMatchInlineSnapshot(
      `"OPTION: weightNorm: eps is -1, it must be a finite number of at least 0."`,
    );
    for (const eps of [Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
      expect(normalize({ eps })).toMatch('OPTION: weightNorm: eps is ');
    }
  });

  it('a bad eps that is set later, which keeps the old one', () => {
    const map = new WeightNorm({ eps: 0.5 });
    expect(
      failure(() => {
        map.eps = -1;
      }),
    ).toMatch('OPTION: ');
    expect(map.eps).toBe(0.5);
  });

  it('a misspelt option, and options that are no object', () => {
    expect(normalize({ dims: 0 })).toMatchInlineSnapshot(
      `"OPTION: weightNorm: 'dims' is not an option. Did you mean 'dim'? It has: dim, eps, scale."`,
    );
    expect(normalize(0)).toMatchInlineSnapshot(
      `"OPTION: weightNorm: the options are 0, they must be an object with the keys dim, eps, scale."`,
    );
    expect(normalize(null)).toMatch('OPTION: ');
  });

  it('a tensor that is not float32', () => {
    const integers = { weight: parameter(tf.ones([2, 2], 'int32')) };
    expect(failure(() => weightNorm(integers), integers)).toMatchInlineSnapshot(
      `"DTYPE: weightNorm: expected a float32 tensor, got int32. Cast it first."`,
    );
    integers.weight.dispose();
  });

  it('a tensor of rank 0 with an axis of its own', () => {
    const scalar = { weight: parameter(tf.scalar(2)) };
    expect(failure(() => weightNorm(scalar), scalar)).toMatchInlineSnapshot(
      `"OPTION: weightNorm: dim 0 is out of range for shape []: expected null."`,
    );
    weightNorm(scalar, 'weight', { dim: null });
    expect(isParametrized(scalar, 'weight')).toBe(true);
    tf.dispose(
      (
        scalar as unknown as { parametrizations: { weight: { parameters(): tf.Variable[] } } }
      ).parametrizations.weight.parameters(),
    );
  });

  it('a second parametrization with several originals', () => {
    weightNorm(host);
    expect(failure(() => weightNorm(host), host)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: weightNorm: forward of WeightNorm takes 2 originals, but the tensor is parametrized already and only its first parametrization may have several. Remove that first, or parametrize one of its originals."`,
    );
  });
});

describe('symmetric and skew refuse', () => {
  it('a tensor that is not square', () => {
    const wide = { weight: parameter(tf.ones([2, 3])), bias: parameter(tf.ones([3])) };
    expect(failure(() => symmetric(wide), wide)).toMatchInlineSnapshot(
      `"SHAPE: symmetric: expected a square matrix or a batch of them, got shape [2, 3]. Register it on a square weight."`,
    );
    expect(failure(() => skew(wide), wide)).toMatchInlineSnapshot(
      `"SHAPE: skew: expected a square matrix or a batch of them, got shape [2, 3]. Register it on a square weight."`,
    );
    expect(failure(() => skew(wide, 'bias'), wide)).toMatchInlineSnapshot(
      `"SHAPE: skew: expected a square matrix or a batch of them, got shape [3]. Register it on a square weight."`,
    );
    tf.dispose(wide);
  });
});
