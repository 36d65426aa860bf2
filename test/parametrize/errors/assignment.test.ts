import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parametrizationsOn, registerParametrization } from '../../../src/parametrize/index.ts';
import { AddOne, Affine, Double, RankOne, SumOfThree } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

let host: Affine;
beforeEach(() => {
  host = new Affine();
});
afterEach(() => host.dispose());

const assign = (value: unknown): string =>
  failure(() => {
    host.weight = value as tf.Tensor;
  }, host);

describe('assigning a parametrized tensor refuses', () => {
  beforeEach(() => void registerParametrization(host, 'weight', new Double()));

  it('what is no tensor', () => {
    expect(assign(null)).toMatchInlineSnapshot(
      `"NOT_A_VARIABLE: assigning Affine.weight: expected a tensor, got null."`,
    );
    expect(assign(3)).toMatchInlineSnapshot(
      `"NOT_A_VARIABLE: assigning Affine.weight: expected a tensor, got number."`,
    );
    expect(assign([[1]])).toMatch('NOT_A_VARIABLE: ');
    expect(assign(undefined)).toMatch('NOT_A_VARIABLE: ');
  });

  it('another shape, which torch accepts', () => {
    const value = tf.ones([2, 3]);
    expect(assign(value)).toMatchInlineSnapshot(
      `"SHAPE: assigning Affine.weight: the value has shape [2, 3], expected [3, 3]. Assign a tensor like the current value."`,
    );
    value.dispose();
    const row = tf.ones([3]);
    expect(assign(row)).toMatch('SHAPE: ');
    row.dispose();
  });

  it('another dtype', () => {
    const value = tf.ones([3, 3], 'int32');
    expect(assign(value)).toMatchInlineSnapshot(
      `"DTYPE: assigning Affine.weight: the value has dtype int32, expected float32. Assign a tensor like the current value."`,
    );
    value.dispose();
  });

  it('a disposed tensor', () => {
    const value = tf.ones([3, 3]);
    value.dispose();
    expect(assign(value)).toMatchInlineSnapshot(
      `"NOT_A_VARIABLE: assigning Affine.weight: expected a tensor, got a disposed tensor."`,
    );
  });
});

describe('assigning through right inverses refuses', () => {
  const value = (): tf.Tensor => tf.ones([3, 3]);
  const assignOnes = (): string => {
    const ones = value();
    const message = assign(ones);
    ones.dispose();
    return message;
  };
  /** Registers the sum of its originals with an inverse that is right at first and then the test's. */
  const registerTurning = (later: (y: tf.Tensor) => unknown): void => {
    let turned = false;
    registerParametrization(host, 'weight', {
      forward: (...parts) => tf.addN(parts),
      rightInverse: (y) => (turned ? (later(y) as tf.Tensor[]) : [tf.mul(y, 0.5), tf.mul(y, 0.5)]),
    });
    turned = true;
  };

  it('a chain in which one has none', () => {
    registerParametrization(host, 'weight', new Double());
    registerParametrization(host, 'weight', (x) => tf.relu(x));
    registerParametrization(host, 'weight', new AddOne());
    expect(assignOnes()).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: assigning Affine.weight: the parametrization has no rightInverse. Add one, or write to the originals: parametrizationsOn(host, name).original."`,
    );
  });

  it('another number of originals than there are', () => {
    registerTurning((y) => [y, y, y]);
    expect(assignOnes()).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: assigning Affine.weight: rightInverse of the parametrization returned 3 tensor(s), but there are 2 originals."`,
    );
  });

  it('one tensor where there are several originals', () => {
    registerTurning((y) => y);
    expect(assignOnes()).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: assigning Affine.weight: rightInverse of the parametrization returned 1 tensor(s), but there are 2 originals."`,
    );
  });

  it('what is no tensor, an array of others, a promise', () => {
    registerTurning((y) => [y, null]);
    expect(assignOnes()).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: assigning Affine.weight: rightInverse of the parametrization must return tensors only, got null at index 1."`,
    );
  });

  it('another shape or dtype for one of several originals', () => {
    registerTurning((y) => [y, tf.sum(y)]);
    expect(assignOnes()).toMatchInlineSnapshot(
      `"SHAPE: assigning Affine.weight: what rightInverse returned for original1 has shape [], expected [3, 3]. Return it like the original."`,
    );
  });

  it('another dtype for one of several originals', () => {
    registerTurning((y) => [tf.cast(y, 'int32'), y]);
    expect(assignOnes()).toMatchInlineSnapshot(
      `"DTYPE: assigning Affine.weight: what rightInverse returned for original0 has dtype int32, expected float32. Return it like the original."`,
    );
  });

  it('one that throws half-way, with its own error', () => {
    registerTurning((y) => {
      tf.add(y, 1);
      throw new RangeError('half-way');
    });
    expect(assignOnes()).toBe('RangeError: half-way');
  });

  it('one in the middle of a chain that throws', () => {
    let strict = false;
    registerParametrization(host, 'weight', new SumOfThree());
    registerParametrization(host, 'weight', {
      forward: (x) => x,
      rightInverse: (y) => {
        if (strict) throw new RangeError('in the middle');
        return y;
      },
    });
    registerParametrization(host, 'weight', new Double());
    strict = true;
    expect(assignOnes()).toBe('RangeError: in the middle');
  });

  it('an array from a later parametrization', () => {
    let turned = false;
    registerParametrization(host, 'weight', new RankOne());
    registerParametrization(host, 'weight', {
      forward: (x) => x,
      rightInverse: (y) => (turned ? [y, y] : y),
    });
    turned = true;
    expect(assignOnes()).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: assigning Affine.weight: rightInverse of the parametrization must return a tensor, got an array; only the first parametrization of a tensor may have several originals."`,
    );
  });

  it('a right inverse that fails in the chain of a parametrized original', () => {
    registerParametrization(host, 'weight', new SumOfThree());
    const list = parametrizationsOn(host, 'weight');
    registerParametrization(list as unknown as Record<string, tf.Tensor>, 'original1', (x) => tf.neg(x));
    expect(assignOnes()).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: assigning Affine.weight: the parametrization has no rightInverse. Add one, or write to the originals: parametrizationsOn(host, name).original."`,
    );
  });
});
