import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  checkParametrization,
  nn,
  Parametrization,
  type ParametrizationLike,
  pure,
  registerParametrization,
  Skew,
  Symmetric,
  UnitNorm,
  WeightNorm,
} from '../../../src/index.ts';

afterEach(() => vi.restoreAllMocks());

const variable = (...values: number[]): tf.Variable => tf.tidy(() => tf.variable(tf.tensor1d(values)));

describe('checkParametrization', () => {
  it.each<[string, () => ParametrizationLike, originals: number, keeps: boolean]>([
    ['weight norm', () => new WeightNorm(), 2, true],
    ['unit norm', () => new UnitNorm(), 1, false],
    ['a symmetric matrix', () => new Symmetric(), 1, false],
    ['a skew matrix', () => new Skew(), 1, false],
    [
      'an object with a right inverse',
      () => ({ forward: (x) => tf.mul(x, 2), rightInverse: (y) => tf.div(y, 2), isPure: () => true }),
      1,
      true,
    ],
  ])('measures %s', async (_, make, originals, keeps) => {
    const report = await checkParametrization(make(), [3, 3]);
    expect(report).toMatchObject({ shape: [3, 3], originals, isPure: true });
    expect(report.rightInverseError).toBeLessThan(1e-6);
    expect(report.gradientError).toBeLessThan(1e-2);
    if (keeps) expect(report.change).toBeLessThan(1e-6);
    else expect(report.change).toBeGreaterThan(0.1);
  });

  it('says that a function cannot be assigned to', async () => {
    expect(
      await checkParametrization(
        pure((x) => tf.sin(x)),
        [2],
      ),
    ).toMatchObject({ rightInverseError: null });
  });

  it('leaves the map and the tensor to the caller', async () => {
    const map = new WeightNorm();
    const tensor = tf.tensor2d([[3, 4]]);
    await checkParametrization(map, tensor);
    const layer = registerParametrization(new nn.Linear(2, 1), 'weight', map);
    expect(tensor).toBeAllClose([3, 4]);
    layer.dispose();
    tensor.dispose();
  });

  const refused: [code: string, why: string, ParametrizationLike, RegExp][] = [
    [
      'NOT_FINITE',
      'a logarithm',
      { forward: (x) => tf.exp(x), rightInverse: (y) => tf.log(y) },
      /elements of the value are NaN/,
    ],
    [
      'RIGHT_INVERSE',
      'another inverse',
      { forward: (x) => tf.mul(x, 2), rightInverse: (y) => tf.div(y, 3), isPure: () => true },
      /differs from the assigned one by 0\.333/,
    ],
    [
      'NOT_PURE',
      'random numbers',
      pure((x) => tf.add(x, tf.randomNormal(x.shape))),
      /two evaluations differ/,
    ],
    [
      'GRADIENT',
      'a wrong gradient',
      pure(
        (x) =>
          tf.customGrad((...args) => ({
            value: tf.mul(args[0] as tf.Tensor, 2),
            gradFunc: (dy: tf.Tensor) => tf.mul(dy, 3),
          }))(x) as tf.Tensor,
      ),
      /the gradient is .*, the central difference/,
    ],
    ['SHAPE', 'another shape', pure((x) => tf.sum(x)), /forward/],
  ];
  it.each(refused)('throws %s for %s', async (code, _, map, message) => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    await expect(checkParametrization(map, [4])).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe('a registration', () => {
  const logarithm = { forward: (x: tf.Tensor) => tf.exp(x), rightInverse: (y: tf.Tensor) => tf.log(y) };

  it('warns of a map that makes NaN of numbers, and only of that', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const host = { w: variable(1, -1), v: variable(1, 2) };
    registerParametrization(host, 'v', logarithm);
    expect(warn).not.toHaveBeenCalled();
    registerParametrization(host, 'w', logarithm);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]![0]).toContain('makes NaN of Object.w');
    const broken = { w: variable(Number.NaN) };
    registerParametrization(broken, 'w', logarithm);
    expect(warn).toHaveBeenCalledOnce();
    for (const { parametrizations } of [host, broken] as unknown as { parametrizations: nn.Module }[]) {
      parametrizations.dispose();
    }
  });

  it('is silent in production mode', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const isProduction = tf.env().getBool('PROD');
    tf.env().set('PROD', true);
    const host = { w: variable(-1) };
    try {
      registerParametrization(host, 'w', logarithm);
      expect(warn).not.toHaveBeenCalled();
    } finally {
      tf.env().set('PROD', isProduction);
    }
    (host as unknown as { parametrizations: nn.Module }).parametrizations.dispose();
  });
});

// A stateful map may move its state, and has no gradient to be checked.
it('checkParametrization evaluates a stateful map like a registration', async () => {
  class Counting extends Parametrization {
    readonly count = nn.buffer(tf.scalar(0));
    forward(x: tf.Tensor): tf.Tensor {
      (this.count as tf.Variable).assign(tf.add(this.count, 1));
      return tf.mul(x, 1);
    }
  }
  const map = new Counting();
  expect(await checkParametrization(map, [2])).toMatchObject({
    isPure: false,
    gradientError: null,
    change: 0,
  });
  map.dispose();
});
