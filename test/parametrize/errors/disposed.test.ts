import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import {
  cached,
  isParametrized,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
  transferParametrizationsAndParams,
} from '../../../src/parametrize/index.ts';
import { disposeVariables } from '../../ownVariables.ts';
import { Affine, Double, inTidy, numbers, read, Scaled, SkewPart, SumOfThree, train } from '../fixtures.ts';
import { describeError, failure, thrownBy } from '../unchanged.ts';

const double = () => pure((x) => tf.mul(x, 2));

describe('after dispose() of the host', () => {
  it('a read says so, also where a borrowed value existed, and an assignment and a removal do', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', double());
    const borrowed = host.weight;
    host.dispose();
    expect(borrowed.isDisposed).toBe(true);
    const message = describeError(thrownBy(() => host.weight)).replace(
      /original '.*' was/,
      "original '…' was",
    );
    expect(message).toMatchInlineSnapshot(
      `"DISPOSED: reading Affine.weight: its original '…' was disposed, by dispose() or tf.disposeVariables(). Make the host again, or dispose it last."`,
    );
    const value = tf.ones([3, 3]);
    const calls = [
      () => tf.tidy(() => host.weight),
      () => cached(() => host.weight),
      () => {
        host.weight = value;
      },
      () => removeParametrizations(host, 'weight'),
      () => removeParametrizations(host, 'weight', { leaveParametrized: false }),
      () => parametrizationsOn(host, 'weight').forward(),
      () => registerParametrization(host, 'weight', new Double()),
      () => registerParametrization(host, 'bias', new Double()),
      () => transferParametrizationsAndParams(host, new Object()),
    ];
    for (const call of calls) expect(failure(call, host)).toMatch('DISPOSED: ');
    value.dispose();
  });

  it('a second dispose does nothing', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SumOfThree());
    void read(host);
    host.dispose();
    host.dispose();
    parametrizationsOn(host, 'weight').dispose();
  });

  it('the parametrizations that the host has are disposed with it', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    host.dispose();
    expect(map.scale.isDisposed).toBe(true);
    expect(map.count.isDisposed).toBe(true);
    expect(describeError(thrownBy(() => map.call(map.scale)))).toMatch('DISPOSED: ');
  });
});

describe('after dispose() of a part', () => {
  it('a read names the original', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', double());
    void host.weight;
    parametrizationsOn(host, 'weight').original!.dispose();
    expect(describeError(thrownBy(() => host.weight))).toMatch(
      'DISPOSED: reading Affine.weight: its original ',
    );
    host.dispose();
  });

  it('a read names the parametrization', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    map.dispose();
    expect(describeError(thrownBy(() => host.weight))).toMatchInlineSnapshot(
      `"DISPOSED: call: this Scaled has been disposed. Make a new one, or dispose it later."`,
    );
    host.dispose();
  });

  it('an open scope frees what it held when the host goes', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    registerParametrization(host, 'bias', double());
    cached(() => {
      void host.weight;
      void host.bias;
      host.dispose();
      expect(describeError(thrownBy(() => host.weight))).toMatch('DISPOSED: ');
    });
  });
});

describe('after tf.disposeVariables()', () => {
  it('a read says so, also where a cached or borrowed value existed', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', double());
    registerParametrization(host, 'bias', new Double());
    cached(() => {
      void host.weight;
      void host.bias;
      disposeVariables();
      expect(describeError(thrownBy(() => host.weight))).toMatch(
        'DISPOSED: reading Affine.weight: its original',
      );
      expect(describeError(thrownBy(() => host.bias))).toMatch('DISPOSED: reading Affine.bias: its original');
      expect(describeError(thrownBy(() => tf.tidy(() => host.weight)))).toMatch('DISPOSED: ');
    });
    expect(describeError(thrownBy(() => host.weight))).toMatch('DISPOSED: ');
    expect(failure(() => removeParametrizations(host, 'weight'))).toMatch('DISPOSED: ');
    expect(isParametrized(host, 'weight')).toBe(true);
    host.dispose();
  });

  it('a read in a gradient says so', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', double());
    disposeVariables();
    const x = tf.ones([3, 3]);
    expect(describeError(thrownBy(() => tf.grad((y) => tf.sum(tf.mul(y, host.weight)))(x)))).toMatch(
      'DISPOSED: ',
    );
    x.dispose();
    host.dispose();
  });

  it('new modules work, and the dead ones can be disposed at any time', () => {
    const dead = new Affine();
    registerParametrization(dead, 'weight', new SkewPart());
    void dead.weight;
    disposeVariables();
    const host = new Affine();
    registerParametrization(host, 'weight', new SumOfThree());
    const before = read(host);
    train(host);
    expect(read(host)).not.toEqual(before);
    dead.dispose();
    train(host);
    removeParametrizations(host, 'weight');
    host.dispose();
  });

  it('a dead variable is refused at registration', () => {
    const host = { weight: parameter(numbers(2)) };
    disposeVariables();
    expect(failure(() => registerParametrization(host, 'weight', new Double()))).toMatch('DISPOSED: ');
  });
});

describe('a caller who disposes what a read has given', () => {
  it('harms nobody', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', double());
    registerParametrization(host, 'bias', new Double());
    const value = read(host);
    host.weight.dispose();
    expect(read(host)).toEqual(value);
    cached(() => {
      host.weight.dispose();
      host.bias.dispose();
      inTidy(() => host.bias.dataSync());
      expect(read(host)).toEqual(value);
    });
    host.dispose();
  });
});
