import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buffer } from '../../../src/nn/index.ts';
import {
  Parametrization,
  parametrizationsOn,
  registerParametrization,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, RankOne, Scaled } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

let host: Affine;
beforeEach(() => {
  host = new Affine();
  host.eval();
});
afterEach(() => host.dispose());

const register = (map: unknown): string =>
  failure(
    () => registerParametrization(host, 'weight', map as Double),
    host,
    ...(typeof map === 'object' && map !== null ? [map] : []),
  );

describe('registerParametrization refuses', () => {
  it('what is no parametrization: a class, a number, an empty object, null', () => {
    expect(register(Double)).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: got the class Double. Pass an instance: new Double(…)."`,
    );
    expect(register(3)).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: got number. Pass a Parametrization, a function, or an object with forward."`,
    );
    expect(register({})).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: got Object. Pass a Parametrization, a function, or an object with forward."`,
    );
    expect(register(null)).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: got null. Pass a Parametrization, a function, or an object with forward."`,
    );
    expect(register('weightNorm')).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: got string. Pass a Parametrization, a function, or an object with forward."`,
    );
    for (const map of [undefined, [], [new Double()], tf.tidy]) expect(register(map)).not.toBe('');
  });

  it('an object whose parts are of the wrong type', () => {
    const forward = (x: tf.Tensor) => x;
    expect(register({ forward: 3 })).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: forward is not a function."`,
    );
    expect(register({ forward, rightInverse: true })).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: rightInverse is not a function."`,
    );
    expect(register({ forward, isPure: true })).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: isPure is not a function."`,
    );
    expect(register({ forward, dependencies: [3] })).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: dependencies is not an array of variables."`,
    );
    expect(register({ forward, dependencies: {} })).toMatchInlineSnapshot(
      `"INVALID_PARAMETRIZATION: registerParametrization: not a parametrization: dependencies is not an array of variables."`,
    );
  });

  it('options that it does not have', () => {
    const withOptions = (options: unknown): string =>
      failure(
        () => registerParametrization(host, 'weight', new Double(), options as { unsafe: boolean }),
        host,
      );
    expect(withOptions({ unsave: true })).toMatchInlineSnapshot(
      `"OPTION: registerParametrization: 'unsave' is not an option. Did you mean 'unsafe'? It has: unsafe."`,
    );
    expect(withOptions(true)).toMatchInlineSnapshot(
      `"OPTION: registerParametrization: the options are true, they must be an object with the keys unsafe."`,
    );
    expect(withOptions({ unsafe: 'false' })).toMatchInlineSnapshot(
      `"OPTION: registerParametrization: unsafe is false (string), it must be true or false."`,
    );
    expect(withOptions(null)).toMatch('OPTION: ');
  });

  it('a disposed parametrization', () => {
    const map = new Scaled();
    map.dispose();
    expect(failure(() => registerParametrization(host, 'weight', map), host)).toMatchInlineSnapshot(
      `"DISPOSED: registerParametrization: this Scaled has been disposed. Make a new one."`,
    );
  });

  it('a forward that returns no tensor (torch#32)', () => {
    class NoTensor extends Double {
      override forward(): tf.Tensor {
        return [1, 2] as unknown as tf.Tensor;
      }
    }
    expect(register(new NoTensor())).toMatchInlineSnapshot(
      `"FORWARD_RESULT: registerParametrization: forward of NoTensor must return a tensor, got Array."`,
    );
    expect(register(() => undefined)).toMatchInlineSnapshot(
      `"FORWARD_RESULT: registerParametrization: forward of the parametrization must return a tensor, got undefined."`,
    );
    expect(register({ forward: () => 3 })).toMatchInlineSnapshot(
      `"FORWARD_RESULT: registerParametrization: forward of the parametrization must return a tensor, got number."`,
    );
  });

  it('a forward that returns a promise', () => {
    class Later extends Parametrization {
      override forward(x: tf.Tensor): tf.Tensor {
        return Promise.resolve(x) as unknown as tf.Tensor;
      }
    }
    expect(register(new Later())).toMatchInlineSnapshot(
      `"ASYNC: call: the forward of Later returned a promise. Its tensors are disposed before it ends. Make forward synchronous and await outside of it."`,
    );
    expect(register(async (x: tf.Tensor) => x)).toMatchInlineSnapshot(
      `"FORWARD_RESULT: registerParametrization: forward of the parametrization must return a tensor, got Promise."`,
    );
  });

  it('a forward that returns a tensor that it has disposed', () => {
    expect(
      register((x: tf.Tensor) => {
        const y = tf.neg(x);
        y.dispose();
        return y;
      }),
    ).toMatchInlineSnapshot(
      `"FORWARD_RESULT: registerParametrization: forward of the parametrization must return a tensor, got a disposed tensor."`,
    );
  });

  it('a forward that throws, with its own error', () => {
    expect(
      register((x: tf.Tensor) => {
        tf.neg(x);
        throw new RangeError('mine');
      }),
    ).toBe('RangeError: mine');
    expect(register((x: tf.Tensor) => tf.matMul(x as tf.Tensor2D, tf.ones([7, 7])))).toMatch('Error: ');
  });

  it('another dtype or shape (torch#33, torch#34, torch#35)', () => {
    expect(register((x: tf.Tensor) => tf.cast(x, 'int32'))).toMatchInlineSnapshot(
      `"DTYPE: registerParametrization: the value of forward has dtype int32, expected float32. A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }."`,
    );
    expect(register((x: tf.Tensor) => tf.cast(x, 'bool'))).toMatch('DTYPE');
    expect(register((x: tf.Tensor) => tf.slice(x, 1))).toMatchInlineSnapshot(
      `"SHAPE: registerParametrization: the value of forward has shape [2, 3], expected [3, 3]. A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }."`,
    );
    class IntegerRankOne extends RankOne {
      override forward(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
        return tf.cast(super.forward(x, y), 'int32');
      }
    }
    expect(register(new IntegerRankOne())).toMatchInlineSnapshot(
      `"DTYPE: registerParametrization: the value of forward has dtype int32, expected float32. A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }."`,
    );
  });

  it('and puts back buffers and modes that forward and rightInverse have changed on the way (torch#37)', () => {
    class Writes extends Parametrization {
      count: tf.Tensor = buffer(tf.scalar(0));
      inner = new Double();
      override forward(x: tf.Tensor): tf.Tensor {
        (this.count as tf.Variable).assign(tf.add(this.count, 1));
        this.inner.train(false);
        return tf.slice(x, 1);
      }
      override rightInverse(y: tf.Tensor): tf.Tensor {
        (this.count as tf.Variable).assign(tf.add(this.count, 10));
        return y;
      }
    }
    const map = new Writes();
    expect(map.training).toBe(true);
    expect(register(map)).toMatch('SHAPE');
    expect(map.training).toBe(true);
    map.dispose();
  });
});

describe('on a tensor that is parametrized already, registerParametrization refuses', () => {
  let first: Double;
  beforeEach(() => {
    first = new Double();
    registerParametrization(host, 'weight', first);
  });
  const expectFirstOnly = (): void => {
    expect(parametrizationsOn(host, 'weight')).toHaveLength(1);
    expect(parametrizationsOn(host, 'weight')[0]).toBe(first);
  };

  it('a forward that returns no tensor (torch#38)', () => {
    expect(register((x: tf.Tensor) => [x, x])).toMatchInlineSnapshot(
      `"FORWARD_RESULT: registerParametrization: forward of the parametrization must return a tensor, got Array."`,
    );
    expectFirstOnly();
  });

  it('another dtype (torch#39)', () => {
    expect(register((x: tf.Tensor) => tf.cast(x, 'int32'))).toMatchInlineSnapshot(
      `"DTYPE: registerParametrization: the value of forward has dtype int32, expected float32. A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }."`,
    );
    expectFirstOnly();
  });

  it('another shape (torch#40)', () => {
    expect(register((x: tf.Tensor) => tf.reshape(x, [9]))).toMatchInlineSnapshot(
      `"SHAPE: registerParametrization: the value of forward has shape [9], expected [3, 3]. A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }."`,
    );
    expectFirstOnly();
  });

  it('a right inverse that returns an array (torch#41)', () => {
    expect(
      register({ forward: (x: tf.Tensor) => x, rightInverse: (y: tf.Tensor) => [y] }),
    ).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: rightInverse of the parametrization must return a tensor, got an array; only the first parametrization of a tensor may have several originals."`,
    );
    expectFirstOnly();
  });

  it('a right inverse with another dtype (torch#42)', () => {
    expect(
      register({ forward: (x: tf.Tensor) => x, rightInverse: (y: tf.Tensor) => tf.cast(y, 'int32') }),
    ).toMatchInlineSnapshot(
      `"DTYPE: registerParametrization: what rightInverse returned has dtype int32, expected float32. A later parametrization keeps shape and dtype both ways, unless { unsafe: true }."`,
    );
    expectFirstOnly();
  });

  it('a right inverse with another shape (torch#43)', () => {
    expect(
      register({ forward: (x: tf.Tensor) => x, rightInverse: (y: tf.Tensor) => tf.slice(y, 1) }),
    ).toMatchInlineSnapshot(
      `"SHAPE: registerParametrization: what rightInverse returned has shape [2, 3], expected [3, 3]. A later parametrization keeps shape and dtype both ways, unless { unsafe: true }."`,
    );
    expectFirstOnly();
  });

  it('a right inverse that throws, or forward of several originals', () => {
    expect(
      register({
        forward: (x: tf.Tensor) => x,
        rightInverse: () => {
          throw new RangeError('mine');
        },
      }),
    ).toBe('RangeError: mine');
    expect(register(new RankOne())).toMatchInlineSnapshot(
      `"RIGHT_INVERSE: registerParametrization: forward of RankOne takes 2 originals, but the tensor is parametrized already and only its first parametrization may have several. Remove that first, or parametrize one of its originals."`,
    );
    expectFirstOnly();
  });
});
