import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Module, parameter } from '../../../src/nn/index.ts';
import {
  Parametrization,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, read, Scaled, variableOf } from '../fixtures.ts';
import { describeError, failure, thrownBy } from '../unchanged.ts';

let host: Affine;
beforeEach(() => {
  host = new Affine();
});
afterEach(() => host.dispose());

const register = (map: unknown, ...watched: object[]): string =>
  failure(() => registerParametrization(host, 'weight', map as Double), host, ...watched);

describe('a parametrization that reads the tensor that it computes', () => {
  it('is refused at registration', () => {
    expect(register((x: tf.Tensor) => tf.add(x, host.weight))).toMatchInlineSnapshot(
      `"CYCLE: reading Affine.weight: a parametrization reads the tensor that it computes. Use its argument instead."`,
    );
    expect(register(pure((x) => tf.add(x, host.weight)))).toMatch('CYCLE: ');
    class Selfish extends Parametrization {
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.mul(x, tf.norm(host.weight));
      }
    }
    const map = new Selfish();
    expect(register(map, map)).toMatch('CYCLE: ');
  });

  it('is refused on top of another', () => {
    registerParametrization(host, 'weight', new Double());
    expect(register((x: tf.Tensor) => tf.add(x, host.weight))).toMatchInlineSnapshot(
      `"CYCLE: reading Affine.weight: a parametrization reads the tensor that it computes. Use its argument instead."`,
    );
    expect(parametrizationsOn(host, 'weight')).toHaveLength(1);
  });

  it('is refused when the second of two tensors closes the circle', () => {
    registerParametrization(host, 'weight', {
      forward: (x) => tf.add(x, tf.sum(host.bias)),
      dependencies: [variableOf(host, 'bias')],
    });
    expect(
      failure(() => registerParametrization(host, 'bias', (x) => tf.add(x, tf.sum(host.weight))), host),
    ).toMatch('CYCLE: ');
    read(host);
  });

  it('is told at the read if it does so only later', () => {
    let selfish = false;
    registerParametrization(host, 'weight', (x) => (selfish ? tf.add(x, host.weight) : x));
    selfish = true;
    const { numTensors } = tf.memory();
    expect(describeError(thrownBy(() => host.weight))).toMatch('CYCLE: reading Affine.weight');
    expect(tf.memory().numTensors).toBe(numTensors);
    selfish = false;
    read(host);
  });

  it('may read it in the right inverse, while the tensor is still a variable', () => {
    registerParametrization(host, 'weight', {
      forward: (x) => tf.mul(x, 2),
      rightInverse: (y) => tf.div(tf.add(y, host.weight), 4),
    });
    removeParametrizations(host, 'weight');
  });
});

describe('a hidden dependency', () => {
  let secret: tf.Variable;
  beforeEach(() => {
    secret = tf.tidy(() => tf.variable(tf.scalar(2), true, 'secret'));
  });
  afterEach(() => secret.dispose());

  it('is found in a function that closes over a trainable variable, with both remedies', () => {
    expect(register((x: tf.Tensor) => tf.mul(x, secret))).toMatchInlineSnapshot(
      `"HIDDEN_DEPENDENCY: registerParametrization: forward of the parametrization uses the variable 'secret' [], which it does not name as a dependency. Make it a parameter() field of a Parametrization, or register { forward, dependencies: [variable] }."`,
    );
  });

  it('is found if the variable is frozen, or given back as it is', () => {
    secret.trainable = false;
    expect(register((x: tf.Tensor) => tf.mul(x, secret))).toMatch(
      "HIDDEN_DEPENDENCY: registerParametrization: forward of the parametrization uses the variable 'secret' []",
    );
    const matrix = parameter(tf.ones([3, 3]));
    expect(register(() => matrix)).toMatch('HIDDEN_DEPENDENCY: ');
    matrix.dispose();
  });

  it('is found in an object, whatever it declares besides', () => {
    const declared = parameter(tf.scalar(1));
    const object = {
      forward: (x: tf.Tensor) => tf.add(tf.mul(x, secret), declared),
      dependencies: [declared],
    };
    expect(register(object)).toMatch("uses the variable 'secret' []");
    declared.dispose();
  });

  it('is found in a Parametrization that holds the variable where no module looks', () => {
    class Hiding extends Parametrization {
      readonly held = { secret };
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.mul(x, this.held.secret);
      }
    }
    const map = new Hiding();
    expect(register(map, map)).toMatch('HIDDEN_DEPENDENCY: registerParametrization: forward of Hiding uses');
  });

  it('is found if it is the weight of another host, parametrized or not, or another weight of the same', () => {
    const other = new Affine();
    expect(register((x: tf.Tensor) => tf.add(x, other.weight))).toMatch('HIDDEN_DEPENDENCY: ');
    expect(register((x: tf.Tensor) => tf.add(x, host.bias))).toMatch('HIDDEN_DEPENDENCY: ');
    registerParametrization(
      other,
      'weight',
      pure((x) => tf.mul(x, 2)),
    );
    void other.weight;
    expect(register((x: tf.Tensor) => tf.add(x, other.weight))).toMatch('HIDDEN_DEPENDENCY: ');
    other.dispose();
  });

  it('is found in an inner function, a tidy, a gradient and a custom gradient', () => {
    const wrapped = [
      (x: tf.Tensor) => tf.tidy(() => tf.mul(x, secret)),
      (x: tf.Tensor) => tf.grad((y) => tf.sum(tf.mul(tf.square(y), secret)))(x),
      (x: tf.Tensor) =>
        tf.customGrad((y, s) => ({
          value: tf.mul(y as tf.Tensor, s as tf.Tensor),
          gradFunc: (dy: tf.Tensor) => [dy, tf.sum(dy)],
        }))(x, secret),
    ];
    for (const forward of wrapped) expect(register(forward)).toMatch('HIDDEN_DEPENDENCY: ');
  });

  it('is found on a later append, which leaves the chain as it was', () => {
    registerParametrization(host, 'weight', new Double());
    expect(register((x: tf.Tensor) => tf.mul(x, secret))).toMatch('HIDDEN_DEPENDENCY: ');
    expect(parametrizationsOn(host, 'weight')).toHaveLength(1);
  });

  it('is found in a parametrization with several originals', () => {
    expect(
      register({
        forward: (a: tf.Tensor, b: tf.Tensor) => tf.add(tf.mul(a, secret), b),
        rightInverse: (y: tf.Tensor) => [y, tf.neg(y)],
      }),
    ).toMatch('HIDDEN_DEPENDENCY: ');
  });

  it('is none if both remedies are followed', () => {
    class Holding extends Parametrization {
      scale: tf.Tensor = parameter(tf.scalar(2));
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.mul(x, this.scale);
      }
    }
    registerParametrization(host, 'weight', new Holding());
    registerParametrization(host, 'weight', {
      forward: (x) => tf.mul(x, secret),
      dependencies: [secret],
    });
    registerParametrization(host, 'bias', () => tf.ones([3]));
  });
});

describe('a variable that is an original already', () => {
  it('cannot be parametrized on another host', () => {
    const other = { weight: host.weight };
    registerParametrization(host, 'weight', new Double());
    expect(
      failure(() => registerParametrization(other, 'weight', new Double()), other, host),
    ).toMatchInlineSnapshot(
      `"TIED: registerParametrization: the variable of Object.weight is an original of Affine.weight already. Tie the modules instead of the variable, or clone it: parameter(tf.clone(variable))."`,
    );
    removeParametrizations(host, 'weight');
    registerParametrization(other, 'weight', new Double());
    removeParametrizations(other, 'weight');
  });

  it('cannot be parametrized under a second name of the same host', () => {
    const tied = { a: host.weight, b: host.weight };
    registerParametrization(tied, 'a', new Double());
    expect(failure(() => registerParametrization(tied, 'b', new Double()), tied)).toMatch('TIED: ');
    removeParametrizations(tied, 'a');
  });
});

describe('a variable in the fields of two modules', () => {
  /** A registration of it disposes the variable, because no original has its shape. */
  const factors = {
    forward: (x: tf.Tensor, y: tf.Tensor) => tf.mul(x, y),
    rightInverse: (W: tf.Tensor) => [tf.expandDims(W, 0), tf.scalar(1)],
  };
  const other = (): Affine => {
    const tied = new Affine();
    tf.dispose(tied.weight);
    tied.weight = host.weight;
    return tied;
  };

  it('is parametrized on none of them once both were used', () => {
    const tied = other();
    const own = tied.parameters();
    expect(own).toContain(host.weight);
    for (const one of [host, tied]) {
      expect(failure(() => registerParametrization(one, 'weight', new Double()), host, tied)).toBe(
        "TIED: registerParametrization: the variable of Affine.weight is also in the field 'weight' of Affine. That field would hold the original, not the value. Tie the modules instead of the variable, or give this one its own: weight = parameter(tf.clone(variable)).",
      );
    }
    tied.weight = parameter(tf.clone(host.weight));
    for (const one of [host, tied]) registerParametrization(one, 'weight', new Double());
    removeParametrizations(host, 'weight');
    tied.dispose();
  });

  it('is parametrized on none of them while the other is new and unused', () => {
    const tied = other();
    for (const map of [new Double(), factors]) {
      expect(failure(() => registerParametrization(host, 'weight', map), host)).toMatch('TIED: ');
    }
    expect(tied.weight).toBe(host.weight);
    tied.weight = parameter(tf.clone(host.weight));
    tied.dispose();
  });

  it('is parametrized after the other module has let it go, or holds it no more', () => {
    const tied = other();
    tied.parameters();
    Object.assign(tied, { weight: null });
    registerParametrization(host, 'weight', new Double());
    removeParametrizations(host, 'weight');
    tied.dispose();
  });

  it('is found in a second field of the same module', () => {
    const twice = Object.assign(new Affine(), { second: null as tf.Tensor | null });
    twice.second = twice.weight;
    twice.parameters();
    expect(failure(() => registerParametrization(twice, 'weight', new Double()), twice)).toMatch(
      "TIED: registerParametrization: the variable of Affine.weight is also in the field 'second'. That field",
    );
    twice.dispose();
  });
});

describe('a Parametrization with tensors of its own', () => {
  it('cannot be registered on two tensors', () => {
    const map = new Scaled();
    registerParametrization(host, 'bias', map);
    expect(register(map, map)).toMatchInlineSnapshot(
      `"SHARED: registerParametrization: this Scaled holds tensors and is registered on Affine.bias already. Make one for each tensor."`,
    );
    const other = new Affine();
    expect(failure(() => registerParametrization(other, 'weight', map), other, map)).toMatch('SHARED: ');
    registerParametrization(host, 'bias', map);
    expect(parametrizationsOn(host, 'bias')).toHaveLength(2);
    other.dispose();
  });

  it('cannot be registered on two tensors if the tensors are those of a child', () => {
    class Outer extends Parametrization {
      inner = new Scaled();
      override forward(x: tf.Tensor): tf.Tensor {
        return this.inner.call(x) as tf.Tensor;
      }
    }
    const map = new Outer();
    registerParametrization(host, 'bias', map);
    expect(register(map, map)).toMatch('SHARED: ');
  });

  it('cannot hold modules in an array', () => {
    class Listing extends Parametrization {
      readonly parts: Module[] = [new Double()];
      override forward(x: tf.Tensor): tf.Tensor {
        return x;
      }
    }
    const { keys } = Object;
    const before = keys(host);
    expect(
      describeError(thrownBy(() => registerParametrization(host, 'weight', new Listing()))),
    ).toMatchInlineSnapshot(
      `"UNREGISTERED_MODULE: Listing: the field 'parts' is an array of modules, which would be neither trained nor saved. Use new ModuleList([…])."`,
    );
    expect(keys(host)).toEqual(before);
  });
});
