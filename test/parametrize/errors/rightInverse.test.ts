import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Parametrization, registerParametrization } from '../../../src/parametrize/index.ts';
import { Affine, RankOne, SumOfThree } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

let host: Affine;
beforeEach(() => {
  host = new Affine();
});
afterEach(() => host.dispose());

/** Registers the identity with a right inverse of the test's. */
const register = (
  rightInverse: (y: tf.Tensor) => unknown,
  forward: (...x: tf.Tensor[]) => tf.Tensor = (x) => x!,
  unsafe = false,
): string => {
  const map = { forward, rightInverse } as { forward: (x: tf.Tensor) => tf.Tensor };
  return failure(() => registerParametrization(host, 'weight', map, { unsafe }), host, map);
};

describe('registerParametrization refuses a right inverse that returns', () => {
  it('neither a tensor nor an array (torch#29)', () => {
    expect(register(() => null)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return a tensor or an array of tensors, got null."`,
    );
    expect(register(() => 3)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return a tensor or an array of tensors, got number."`,
    );
    expect(register(() => undefined)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return a tensor or an array of tensors, got undefined."`,
    );
    expect(register(async (y) => y)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return a tensor or an array of tensors, got Promise."`,
    );
    expect(register((y) => ({ original: y }))).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return a tensor or an array of tensors, got Object."`,
    );
  });

  it('an array with something else in it, or nothing (torch#30)', () => {
    expect(register((y) => [y, 3])).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return tensors only, got number at index 1."`,
    );
    expect(register((y) => [y, null, y])).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return tensors only, got null at index 1."`,
    );
    expect(register(() => [])).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization returned an empty array: there would be no originals."`,
    );
  });

  it('a tensor that it has disposed', () => {
    const disposed = (y: tf.Tensor): tf.Tensor => {
      const x = tf.neg(y);
      x.dispose();
      return x;
    };
    expect(register(disposed)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return a tensor or an array of tensors, got a disposed tensor."`,
    );
    expect(register((y) => [y, disposed(y)])).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return tensors only, got a disposed tensor at index 1."`,
    );
  });

  it('one tensor of another dtype, also if unsafe (torch#31)', () => {
    const toInteger = (y: tf.Tensor) => tf.cast(y, 'int32');
    const toFloat = (x: tf.Tensor) => tf.cast(x, 'float32');
    expect(register(toInteger, (x) => toFloat(x!))).toMatchInlineSnapshot(
      `"DTYPE: registerParametrization: what rightInverse returned has dtype int32, expected float32. A single original keeps the dtype of the tensor."`,
    );
    expect(register(toInteger, (x) => toFloat(x!), true)).toMatch('DTYPE: registerParametrization: ');
  });

  it('fewer originals than forward takes (torch#28)', () => {
    expect(register((y) => y, ((x: tf.Tensor, y: tf.Tensor) => tf.add(x, y)) as never)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: forward of the parametrization takes 2 original(s), but rightInverse gives 1. They must agree."`,
    );
    class Half extends RankOne {
      override rightInverse(matrix: tf.Tensor): tf.Tensor[] {
        return super.rightInverse(matrix).slice(0, 1);
      }
    }
    const half = new Half();
    expect(failure(() => registerParametrization(host, 'weight', half), host, half)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: forward of Half takes 2 original(s), but rightInverse gives 1. They must agree."`,
    );
  });

  it('more originals than forward takes: one would never be used', () => {
    expect(register((y) => [y, y], ((x: tf.Tensor) => x) as never)).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: forward of the parametrization takes 1 original(s), but rightInverse gives 2. They must agree."`,
    );
  });

  it('originals whose image has another shape', () => {
    class TooLong extends SumOfThree {
      override forward(...parts: tf.Tensor[]): tf.Tensor {
        return tf.concat(parts);
      }
    }
    const map = new TooLong();
    expect(failure(() => registerParametrization(host, 'weight', map), host, map)).toMatchInlineSnapshot(
      `"SHAPE: registerParametrization: the value of forward has shape [9, 3], expected [3, 3]. A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }."`,
    );
  });
});

describe('registerParametrization passes on what a right inverse throws, and nothing has changed', () => {
  it('with one original and with several, at once and half-way', () => {
    expect(
      register(() => {
        throw new RangeError('mine');
      }),
    ).toBe('RangeError: mine');
    expect(
      register((y) => {
        tf.keep(tf.neg(y)).dispose();
        tf.add(y, 1);
        throw new RangeError('half-way');
      }),
    ).toBe('RangeError: half-way');
  });

  it('with a tensor of the caller that it has disposed', () => {
    expect(
      register((y) => {
        y.dispose();
        throw new RangeError('disposed');
      }),
    ).toBe('RangeError: disposed');
  });

  it('with the parametrization’s own error class', () => {
    class NotInImage extends Error {
      override name = 'NotInImage';
    }
    class Strict extends Parametrization {
      override forward(x: tf.Tensor): tf.Tensor {
        return x;
      }
      override rightInverse(): tf.Tensor {
        throw new NotInImage('not symmetric');
      }
    }
    const map = new Strict();
    expect(failure(() => registerParametrization(host, 'weight', map), host, map)).toBe(
      'NotInImage: not symmetric',
    );
  });
});
