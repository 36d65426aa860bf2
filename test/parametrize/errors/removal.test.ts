import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import {
  cached,
  invalidate,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  transferParametrizationsAndParams,
  valueOf as valueOfTensor,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, numbers, RankOne, Scaled, SumOfThree } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

let host: Affine;
beforeEach(() => {
  host = new Affine();
});
afterEach(() => host.dispose());

describe('removeParametrizations refuses', () => {
  it('a tensor that is not parametrized (torch#26)', () => {
    expect(failure(() => removeParametrizations(host, 'weight'), host)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: removeParametrizations: Affine has no parametrization on 'weight'. Parametrized: nothing."`,
    );
    registerParametrization(host, 'weight', new Double());
    expect(failure(() => removeParametrizations(host, 'bias'), host)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: removeParametrizations: Affine has no parametrization on 'bias'. Parametrized: weight."`,
    );
    expect(failure(() => removeParametrizations(host, 'wieght' as 'weight'), host)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: removeParametrizations: Affine has no parametrization on 'wieght'. Did you mean 'weight'? Parametrized: weight."`,
    );
  });

  it('to leave one of several originals (torch#27)', () => {
    registerParametrization(host, 'weight', new SumOfThree());
    expect(
      failure(() => removeParametrizations(host, 'weight', { leaveParametrized: false }), host),
    ).toMatchInlineSnapshot(
      `"OPTION: removeParametrizations: Affine.weight has 3 originals, and leaveParametrized: false leaves exactly one. Drop leaveParametrized: false."`,
    );
    removeParametrizations(host, 'weight');
    registerParametrization(host, 'weight', new RankOne());
    expect(failure(() => removeParametrizations(host, 'weight', { leaveParametrized: false }), host)).toMatch(
      'leaveParametrized: false',
    );
  });

  it('options that it does not have', () => {
    registerParametrization(host, 'weight', new Double());
    for (const options of [{ leaveParametrised: false }, false, null, { leaveParametrized: 0 }]) {
      expect(failure(() => removeParametrizations(host, 'weight', options as object), host)).toMatch(
        'OPTION: ',
      );
    }
  });

  it('a second removal', () => {
    registerParametrization(host, 'weight', new Double());
    removeParametrizations(host, 'weight');
    expect(failure(() => removeParametrizations(host, 'weight'), host)).toMatch('NOT_PARAMETRIZED: ');
  });

  it('while forward throws, and changes nothing', () => {
    let broken = false;
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    registerParametrization(host, 'weight', (x) => {
      if (broken) throw new RangeError('broken');
      return tf.neg(x);
    });
    broken = true;
    expect(failure(() => removeParametrizations(host, 'weight'), host, map)).toBe('RangeError: broken');
    removeParametrizations(host, 'weight', { leaveParametrized: false });
    expect(host.weight).toBeInstanceOf(tf.Variable);
    map.dispose();
  });
});

describe('questions about a tensor that is not parametrized are refused', () => {
  it('by parametrizationsOn and invalidate', () => {
    registerParametrization(host, 'weight', new Double());
    expect(failure(() => parametrizationsOn(host, 'bias'), host)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: parametrizationsOn: Affine has no parametrization on 'bias'. Parametrized: weight."`,
    );
    expect(failure(() => invalidate(host, 'wight'), host)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: invalidate: Affine has no parametrization on 'wight'. Did you mean 'weight'? Parametrized: weight."`,
    );
  });

  it('by valueOf if there is no such tensor', () => {
    expect(failure(() => valueOfTensor(host, 'wight'), host)).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: valueOf: Affine has no parameter or buffer 'wight'. Did you mean 'weight'? It has: weight, bias."`,
    );
  });
});

describe('transferParametrizationsAndParams refuses', () => {
  let to: Affine;
  beforeEach(() => {
    to = new Affine();
    registerParametrization(host, 'weight', new Double());
  });
  afterEach(() => to.dispose());
  const transfer = (target: object, name?: string): string =>
    failure(() => transferParametrizationsAndParams(host, target, name), host, target);

  it('a tensor that is not parametrized on the source', () => {
    expect(transfer(to, 'bias')).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: transferParametrizationsAndParams: Affine has no parametrization on 'bias'. Parametrized: weight."`,
    );
  });

  it('a target that is parametrized already, and the source itself', () => {
    registerParametrization(to, 'weight', new Double());
    expect(transfer(to)).toMatchInlineSnapshot(
      `"ALREADY_PARAMETRIZED: transferParametrizationsAndParams: Affine.weight is parametrized already. Call removeParametrizations on it first."`,
    );
    expect(transfer(host)).toMatch('ALREADY_PARAMETRIZED: ');
  });

  it('a target of another shape or dtype, with all of its tensors as they were', () => {
    registerParametrization(host, 'bias', new Double());
    const other = { weight: parameter(numbers(3, 3)), bias: parameter(numbers(2)) };
    expect(transfer(other)).toMatchInlineSnapshot(
      `"SHAPE: transferParametrizationsAndParams: Object.bias has shape [2], expected [3]. Both sides must agree."`,
    );
    const integer = { weight: parameter(tf.ones([3, 3], 'int32')) };
    expect(transfer(integer, 'weight')).toMatchInlineSnapshot(
      `"DTYPE: transferParametrizationsAndParams: Object.weight has dtype int32, expected float32. Both sides must agree."`,
    );
    tf.dispose([other, integer]);
  });

  it('a target whose tensor is an original of another', () => {
    const tied = { weight: parametrizationsOn(host, 'weight').original };
    expect(transfer(tied)).toMatchInlineSnapshot(
      `"TIED: transferParametrizationsAndParams: the variable of Object.weight is an original of another tensor. Clone it first."`,
    );
  });

  it('a parametrized original', () => {
    registerParametrization(parametrizationsOn(host, 'weight'), 'original', new Double());
    expect(transfer(to)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: transferParametrizationsAndParams: an original of Affine.weight is parametrized itself. Transfer the inner parametrization by hand."`,
    );
  });

  it('a target that cannot hold it', () => {
    expect(transfer(Object.preventExtensions({}))).toMatch('IMMUTABLE_HOST: ');
    expect(transfer(Object.freeze({ weight: null }))).toMatch('IMMUTABLE_HOST: ');
    const sealed = Object.defineProperty({}, 'weight', { value: null, configurable: false });
    expect(transfer(sealed)).toMatch('IMMUTABLE_HOST: ');
    expect(transfer({ weight: 3 })).toMatch('NOT_A_VARIABLE: ');
  });
});

describe('cached refuses', () => {
  it('what is no function', () => {
    expect(failure(() => cached(42 as never))).toMatchInlineSnapshot(
      `"NOT_A_FUNCTION: cached: expected a function, got number. Pass the function itself: cached(async () => { … })."`,
    );
    expect(failure(() => cached(Promise.resolve(1) as never))).toMatchInlineSnapshot(
      `"NOT_A_FUNCTION: cached: expected a function, got a promise, whose work began outside of the scope. Pass the function itself: cached(async () => { … })."`,
    );
    expect(failure(() => cached(undefined as never))).toMatchInlineSnapshot(
      `"NOT_A_FUNCTION: cached: expected a function, got undefined. Pass the function itself: cached(async () => { … })."`,
    );
  });
});
