import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { buffer, parameter } from '../../../src/nn/index.ts';
import {
  Parametrization,
  parametrizationsOn,
  registerParametrization,
} from '../../../src/parametrize/index.ts';
import { AddOne, Affine, Double, inTidy, read, Scaled, variableOf } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

/** A skew map whose inverse refuses what is not skew, as in torch's own test. */
class StrictSkew extends Parametrization {
  override forward(x: tf.Tensor): tf.Tensor {
    const upper = tf.linalg.bandPart(x, 0, -1);
    return tf.sub(upper, tf.transpose(upper));
  }
  override rightInverse(A: tf.Tensor): tf.Tensor {
    if (tf.max(tf.abs(tf.add(A, tf.transpose(A)))).dataSync()[0]! > 1e-6) throw new RangeError('not skew');
    return tf.linalg.bandPart(A, 0, -1);
  }
}

const skew = () =>
  tf.tensor2d([
    [0, 1, 2],
    [-1, 0, 3],
    [-2, -3, 0],
  ]);

describe('assigning a parametrized tensor', () => {
  it('throws what the right inverse throws, and changes nothing (torch#22)', () => {
    const host = new Affine();
    const zero = tf.zeros([3, 3]);
    variableOf(host).assign(zero);
    registerParametrization(host, 'weight', new StrictSkew());
    const value = tf.ones([3, 3]);
    expect(
      failure(() => {
        host.weight = value;
      }, host),
    ).toBe('RangeError: not skew');
    tf.dispose([value, zero]);
    host.dispose();
  });

  it('sets the original to what the right inverse gives, and reads back equal (torch#23)', () => {
    const host = new Affine();
    const zero = tf.zeros([3, 3]);
    variableOf(host).assign(zero);
    registerParametrization(host, 'weight', new StrictSkew());
    const value = skew();
    host.weight = value;
    inTidy(() => {
      expect(parametrizationsOn(host, 'weight').original).toBeAllClose(tf.linalg.bandPart(value, 0, -1));
      expect(host.weight).toBeAllClose(value);
    });
    tf.dispose([value, zero]);
    host.dispose();
  });

  it('runs the inverses of two maps in reverse order (torch#24)', () => {
    const host = new Affine();
    const zero = tf.zeros([3, 3]);
    variableOf(host).assign(zero);
    registerParametrization(host, 'weight', new StrictSkew());
    registerParametrization(host, 'weight', new Double());
    registerParametrization(host, 'weight', new AddOne());
    const value = tf.tidy(() => tf.add(tf.mul(skew(), 2), 1));
    host.weight = value;
    inTidy(() => {
      expect(host.weight).toBeAllClose(value);
      expect(parametrizationsOn(host, 'weight').original).toBeAllClose(tf.linalg.bandPart(skew(), 0, -1));
    });
    expect(
      failure(() => {
        host.weight = zero;
      }, host),
    ).toBe('RangeError: not skew');
    tf.dispose([value, zero]);
    host.dispose();
  });

  it('puts back the buffers and modes that inverses have written before one of them fails', () => {
    class Counts extends AddOne {
      count: tf.Tensor = buffer(tf.scalar(0));
      override rightInverse(y: tf.Tensor): tf.Tensor {
        (this.count as tf.Variable).assign(tf.add(this.count, 1));
        return super.rightInverse(y);
      }
    }
    const host = new Affine();
    const zero = tf.zeros([3, 3]);
    variableOf(host).assign(zero);
    const [first, last] = [new StrictSkew(), new Counts()];
    registerParametrization(host, 'weight', first);
    registerParametrization(host, 'weight', last);
    const one = tf.ones([3, 3]);
    expect(
      failure(() => {
        host.weight = zero;
      }, host),
    ).toBe('RangeError: not skew');
    expect(read(last, 'count')).toBe(0);
    host.weight = one;
    expect(read(last, 'count')).toBe(1);
    tf.dispose([zero, one]);
    host.dispose();
  });

  it('copies: the value stays its owner’s, who may change or dispose it', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', { forward: (x) => x, rightInverse: (x) => x });
    const value = parameter(skew);
    const zero = tf.zeros([3, 3]);
    host.weight = value;
    value.assign(zero);
    inTidy(() => expect(host.weight).toBeAllClose(skew()));
    value.dispose();
    inTidy(() => expect(host.weight).toBeAllClose(skew()));
    zero.dispose();
    host.dispose();
  });

  it('keeps the variable, its name and its place in an optimizer', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const original = parametrizationsOn(host, 'weight').original!;
    const { name, id } = original;
    const value = skew();
    host.weight = value;
    expect(parametrizationsOn(host, 'weight').original).toBe(original);
    expect([original.name, original.id]).toEqual([name, id]);
    value.dispose();
    host.dispose();
  });

  it('may be of the tensor’s own value, and of a read of another host', () => {
    const [a, b] = [new Affine(), new Affine()];
    registerParametrization(a, 'weight', new Double());
    registerParametrization(b, 'weight', new AddOne());
    inTidy(() => {
      a.weight = tf.neg(b.weight);
      expect(a.weight).toBeAllClose(tf.neg(b.weight));
      const own = a.weight;
      a.weight = own;
      expect(a.weight).toBeAllClose(tf.neg(b.weight));
    });
    a.dispose();
    b.dispose();
  });

  it('uses the parameters of the parametrization as they are now', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    const five = tf.scalar(5);
    (map.scale as tf.Variable).assign(five);
    const value = skew();
    host.weight = value;
    inTidy(() => {
      expect(host.weight).toBeAllClose(value);
      expect(parametrizationsOn(host, 'weight').original).toBeAllClose(tf.div(value, 5));
    });
    tf.dispose([value, five]);
    host.dispose();
  });

  it('leaves no tensor behind, in and outside of a tidy', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const value = skew();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) host.weight = value;
    expect(tf.memory().numTensors).toBe(before);
    tf.tidy(() => {
      host.weight = value;
      expect(tf.memory().numTensors).toBe(before);
    });
    expect(read(host)).toEqual(read({ weight: value }));
    value.dispose();
    host.dispose();
  });

  it('is not undone by the end of the tidy that it is made in', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    tf.tidy(() => {
      host.weight = skew();
    });
    inTidy(() => expect(host.weight).toBeAllClose(skew()));
    host.dispose();
  });
});
