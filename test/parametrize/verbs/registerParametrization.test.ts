import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Module, parameter } from '../../../src/nn/index.ts';
import {
  isParametrized,
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { AddOne, Affine, Double, inTidy, read, SkewPart, train, variableOf } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

/** The rows that a host's tensor loses. */
class DropRow extends Parametrization {
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.slice(x, [1], [2]);
  }
}

/** `(I + A/2)(I - A/2)⁻¹` of a small skew matrix, by its Neumann series: orthogonal. */
class Cayley extends Parametrization {
  override forward(A: tf.Tensor): tf.Tensor {
    const half = tf.mul(A, 0.05) as tf.Tensor2D;
    let inverse = tf.eye(A.shape[0]!);
    for (let i = 0; i < 12; i++) inverse = tf.add(tf.eye(A.shape[0]!), tf.matMul(half, inverse));
    return tf.matMul(tf.add(tf.eye(A.shape[0]!), half), inverse);
  }
}

const expectSkew = (host: Affine): void =>
  inTidy(() => {
    expect(tf.add(host.weight, tf.transpose(host.weight))).toBeAllClose(tf.zeros([3, 3]));
  });

const expectOrthogonal = (host: Affine): void =>
  inTidy(() => {
    const product = tf.matMul(host.weight as tf.Tensor2D, host.weight as tf.Tensor2D, false, true);
    expect(product).toBeAllClose(tf.eye(3), { absolute: 1e-5 });
  });

describe('registerParametrization', () => {
  it('returns the host and computes its tensor from the original from then on', () => {
    const host = new Affine();
    const before = variableOf(host);
    expect(registerParametrization(host, 'weight', new Double())).toBe(host);
    expect(parametrizationsOn(host, 'weight').original).toBe(before);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(before, 2)));
    host.dispose();
  });

  it('keeps the value where there is a right inverse', () => {
    const host = new Affine();
    const before = read(host);
    registerParametrization(host, 'weight', new AddOne());
    inTidy(() => expect(host.weight).toBeAllClose(before as number[][]));
    host.dispose();
  });

  it('changes the value where there is none: the value becomes the original', () => {
    const host = new Affine();
    const before = read(host);
    registerParametrization(host, 'weight', (x) => tf.add(x, 10));
    expect(read(parametrizationsOn(host, 'weight'), 'original')).toEqual(before);
    inTidy(() => expect(host.weight).toBeAllClose(tf.add(before as number[][], 10)));
    host.dispose();
  });

  it('refuses a map that changes the shape and names both shapes (torch#1)', () => {
    const host = new Affine();
    const map = new DropRow();
    expect(failure(() => registerParametrization(host, 'weight', map), host, map)).toMatchInlineSnapshot(
      `"SHAPE: registerParametrization: the value of forward has shape [2, 3], expected [3, 3]. A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }."`,
    );
    expect(isParametrized(host)).toBe(false);
    host.dispose();
  });

  it('allows a map that changes the shape if unsafe: reads have the new shape (torch#2)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new DropRow(), { unsafe: true });
    inTidy(() => expect(host.weight.shape).toEqual([2, 3]));
    expect(parametrizationsOn(host, 'weight').shape).toEqual([2, 3]);
    expect(parametrizationsOn(host, 'weight').original!.shape).toEqual([3, 3]);
    host.dispose();
  });

  it('allows a map that changes the dtype if unsafe', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', (x) => tf.cast(x, 'int32'), { unsafe: true });
    inTidy(() => expect(host.weight.dtype).toBe('int32'));
    host.dispose();
  });

  it('takes the tensor out of the own parameters and puts the chain into parametrizations (torch#3)', () => {
    const host = new Affine();
    expect('parametrizations' in host).toBe(false);
    registerParametrization(host, 'weight', new SkewPart());
    expect(isParametrized(host)).toBe(true);
    expect(isParametrized(host, 'weight')).toBe(true);
    expect(isParametrized(host, 'bias')).toBe(false);
    expect(host.namedParameters().map(([name]) => name)).toEqual([
      'bias',
      'parametrizations.weight.original',
    ]);
    host.dispose();
  });

  it('leaves a well-behaved map as it is if unsafe (torch#6)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart(), { unsafe: true });
    expectSkew(host);
    host.dispose();
  });

  it('gives a value that has the property of the map (torch#7)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart());
    expectSkew(host);
    host.dispose();
  });

  it('applies a second map to the value of the first (torch#8)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart());
    registerParametrization(host, 'weight', new Cayley());
    expectOrthogonal(host);
    host.dispose();
  });

  it('lists the tensor by its name (torch#9)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart());
    expect(Object.keys(host.parametrizations!)).toContain('weight');
    expect(host.parametrizations!.weight).toHaveLength(1);
    host.dispose();
  });

  it('holds all effects of two maps on each of two tensors (torch#10)', () => {
    const host = new Affine();
    const bias = read(host, 'bias') as number[];
    registerParametrization(host, 'weight', new SkewPart());
    registerParametrization(host, 'weight', new Cayley());
    registerParametrization(host, 'bias', (x) => tf.mul(x, 2));
    registerParametrization(host, 'bias', (x) => tf.add(x, 1));
    expectOrthogonal(host);
    inTidy(() => expect(host.bias).toBeAllClose(bias.map((b) => 2 * b + 1)));
    expect(Object.keys(host.stateDict())).toEqual([
      'parametrizations.weight.original',
      'parametrizations.bias.original',
    ]);
    host.dispose();
  });

  it('keeps the number of parameters for one-to-one maps (torch#11)', () => {
    const host = new Affine();
    const before = host.parameters();
    registerParametrization(host, 'weight', new SkewPart());
    registerParametrization(host, 'bias', new Double());
    expect(new Set(host.parameters())).toEqual(new Set(before));
    host.dispose();
  });

  it('lets an optimizer that was made before train the visible tensors (torch#12)', () => {
    const host = new Affine();
    const optimizer = tf.train.sgd(0.1);
    const parameters = host.parameters();
    registerParametrization(host, 'weight', new SkewPart());
    registerParametrization(host, 'bias', new Double());
    const before = [read(host), read(host, 'bias')];
    const x = tf.ones([2, 3]);
    optimizer.minimize(() => tf.sum(tf.square(host.call(x) as tf.Tensor)) as tf.Scalar, false, parameters);
    expect(read(host)).not.toEqual(before[0]);
    expect(read(host, 'bias')).not.toEqual(before[1]);
    expectSkew(host);
    tf.dispose(x);
    optimizer.dispose();
    host.dispose();
  });

  it('gives every part of the parametrization the training mode of the host (torch#52)', () => {
    class Outer extends Double {
      inner = new Double();
    }
    for (const [host, mode] of [
      [new Affine().eval(), false],
      [new Affine(), true],
    ] as const) {
      const map = new Outer();
      map.train(!mode);
      registerParametrization(host, 'weight', map);
      expect(map.training).toBe(mode);
      expect(map.inner.training).toBe(mode);
      expect(parametrizationsOn(host, 'weight').training).toBe(mode);
      expect((host.parametrizations as unknown as Module).training).toBe(mode);
      host.dispose();
    }
  });

  it('hands train() and eval() of the host on to the parametrization', () => {
    const host = new Affine();
    const map = new Double();
    registerParametrization(host, 'weight', map);
    host.eval();
    expect(map.training).toBe(false);
    host.train();
    expect(map.training).toBe(true);
    host.dispose();
  });

  it('evaluates once at registration and then on every read of a map that is not pure', () => {
    const host = new Affine();
    const map = new Double();
    registerParametrization(host, 'weight', map);
    const { calls } = map;
    for (let i = 1; i <= 3; i++) {
      read(host);
      expect(map.calls).toBe(calls + i);
    }
    host.dispose();
  });

  it('accepts a module that is no Parametrization', () => {
    class Shift extends Module {
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.add(x, 1);
      }
    }
    const host = new Affine();
    const before = read(host, 'bias') as number[];
    const map = new Shift();
    registerParametrization(host, 'bias', map);
    inTidy(() => expect(host.bias).toBeAllClose(before.map((b) => b + 1)));
    expect(host.parametrizations!.bias![0]).toBe(map);
    host.dispose();
  });

  it('may be called inside of a tidy and inside of a gradient: nothing of it ends with them', () => {
    const host = new Affine();
    tf.tidy(() => {
      registerParametrization(host, 'weight', new Double());
    });
    const input = tf.ones([3]);
    const gradient = tf.grad((x) => {
      registerParametrization(host, 'bias', new AddOne());
      return tf.sum(tf.mul(x, host.bias));
    })(input);
    inTidy(() => expect(gradient).toBeAllClose(host.bias));
    tf.dispose([gradient, input]);
    train(host);
    expect(host.parameters().every((variable) => !variable.isDisposed)).toBe(true);
    host.dispose();
  });

  it('works on a tensor of rank 0 and on an empty one', () => {
    const host = { scalar: parameter(tf.scalar(3)), empty: parameter(tf.zeros([0, 2])) };
    registerParametrization(host, 'scalar', (x) => tf.mul(x, 2));
    registerParametrization(host, 'empty', (x) => tf.mul(x, 2));
    expect(read(host, 'scalar')).toBe(6);
    inTidy(() => expect(host.empty.shape).toEqual([0, 2]));
    removeParametrizations(host, 'scalar');
    removeParametrizations(host, 'empty');
    tf.dispose([host.scalar, host.empty]);
  });
});
