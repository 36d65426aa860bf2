import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  defineParametrization,
  fold,
  isParametrized,
  nn,
  orthogonal,
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  spectralNorm,
  symmetric,
  transferParametrizationsAndParams,
  weightNorm,
} from '../../src/index.ts';
import { weightNorm as legacyWeightNorm } from '../../src/legacy/index.ts';
import {
  atCommit,
  retireVariable,
  takeName,
  transaction,
  undoable,
} from '../../src/parametrize/transaction.ts';
import { failure } from './unchanged.ts';

class Net extends nn.Module {
  a = new nn.Linear(3, 3);
  b = new nn.Linear(3, 3);
  c = new nn.Linear(3, 3);
  forward(): void {}
}

class Affine extends Parametrization {
  gain: tf.Tensor = nn.parameter(() => tf.scalar(2));
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.gain);
  }
}

class Factors extends Parametrization {
  override forward(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
    return tf.matMul(x, y);
  }
  override rightInverse(w: tf.Tensor): tf.Tensor[] {
    return [
      tf.pad(w, [
        [0, 0],
        [0, 1],
      ]),
      tf.eye(4, 3),
    ];
  }
}

/** Does something, then throws: nothing may have changed. */
const failsAfter = (work: () => void, ...objects: object[]): string =>
  failure(
    () =>
      transaction(() => {
        work();
        throw new Error('later');
      }),
    ...objects,
  );

describe('transaction', () => {
  const works: Record<string, (net: Net) => void> = {
    'a registration': (net) => weightNorm(net.a),
    'a registration that disposes the variable': (net) =>
      registerParametrization(net.a, 'weight', new Factors()),
    'a registration that writes the variable': (net) => orthogonal(net.a),
    'registrations on several tensors': (net) =>
      void [net.a, net.b, net.c].map((layer) => spectralNorm(layer)),
    'a second parametrization': (net) => symmetric(weightNorm(net.a)),
    'a parametrization of an original': (net) => {
      weightNorm(net.a);
      registerParametrization(parametrizationsOn(net.a, 'weight'), 'original0', (x) => tf.abs(x));
    },
    'a registration and its removal': (net) => removeParametrizations(spectralNorm(net.a), 'weight'),
    'removals of all kinds': (net) => {
      orthogonal(net.a);
      registerParametrization(net.b, 'weight', new Factors());
      legacyWeightNorm(net.c);
      fold(net);
    },
    'a transfer': (net) => transferParametrizationsAndParams(weightNorm(net.a), net.b),
    'a change of a value': (net) => {
      const value = tf.zeros([3, 3]);
      (net.a.weight as tf.Variable).assign(value);
      value.dispose();
    },
  };

  it.each(Object.entries(works))('takes back %s', (_what, work) => {
    const net = new Net();
    expect(failsAfter(() => work(net), net, net.a, net.b, net.c)).toBe('Error: later');
    expect([net.a, net.b, net.c].some((layer) => isParametrized(layer))).toBe(false);
    transaction(() => work(net));
    fold(net);
    net.dispose();
  });

  const prepared: Record<string, (net: Net) => void> = {
    'one parametrization': (net) => weightNorm(net.a),
    'one among others of the host': (net) => {
      weightNorm(net.a);
      registerParametrization(net.a, 'bias', new Affine());
    },
    'several originals and no variable of the shape': (net) =>
      registerParametrization(net.a, 'weight', new Factors()),
    'a nested parametrization': (net) => {
      weightNorm(net.a);
      registerParametrization(parametrizationsOn(net.a, 'weight'), 'original1', (x) => tf.add(x, 1));
    },
    'the hook API': (net) => legacyWeightNorm(net.a),
    'a map with parameters, in eval mode': (net) =>
      registerParametrization(net.a.eval(), 'weight', new Affine()),
  };

  it.each(Object.entries(prepared))('takes back the removal of %s', (_what, prepare) => {
    const net = new Net();
    prepare(net);
    const maps = net.modules().filter((module) => module instanceof Affine);
    const list = parametrizationsOn(net.a, 'weight');
    const value = tf.tidy(() => [...net.a.weight.dataSync()]);
    const before = { ...net.stateDict() };
    expect(failsAfter(() => removeParametrizations(net.a, 'weight'), net, net.a, list)).toBe('Error: later');
    expect(parametrizationsOn(net.a, 'weight')).toBe(list);
    expect(net.stateDict()).toEqual(before);
    tf.tidy(() => void expect(net.a.weight).toBeAllClose(value));
    expect(fold(net)).toContain('a.weight');
    tf.tidy(() => void expect(net.a.weight).toBeAllClose(value));
    for (const map of maps) map.dispose();
    net.dispose();
  });

  it('takes back a part that failed, and goes on with the rest', () => {
    const net = new Net();
    transaction(() => {
      weightNorm(net.a);
      expect(failsAfter(() => weightNorm(net.b), net, net.b)).toBe('Error: later');
      weightNorm(net.c);
    });
    expect(fold(net)).toEqual(['a.weight', 'c.weight']);
    net.dispose();
  });

  it('puts disposals off to the end of the outermost, and frees the name at once', () => {
    const [old, fresh] = [1, 2].map((value) => nn.parameter(() => tf.scalar(value))) as [
      tf.Variable,
      tf.Variable,
    ];
    const { name } = old;
    const order: string[] = [];
    transaction(() => {
      transaction(() => {
        retireVariable(old);
        takeName(fresh, name);
        atCommit(() => order.push('committed'));
      });
      expect([fresh.name, old.isDisposed]).toEqual([name, false]);
      order.push('outer');
    });
    expect(order).toEqual(['outer', 'committed']);
    expect([fresh.name, old.isDisposed]).toEqual([name, true]);
    fresh.dispose();
  });

  it('runs inverses backwards, and none after it has committed', () => {
    const order: number[] = [];
    const work = (): void => void [1, 2, 3].map((i) => undoable(() => void order.push(i)));
    transaction(work);
    expect(order).toEqual([]);
    failsAfter(work);
    expect(order).toEqual([3, 2, 1]);
  });

  it('disposes what the function of a map has made before it failed', () => {
    class Half extends Parametrization {
      first: tf.Tensor = nn.parameter(() => tf.scalar(1));
      second: tf.Tensor = nn.buffer(() => {
        throw new Error('later');
      });
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.mul(x, this.first);
      }
    }
    const half = defineParametrization({ name: 'half', class: Half, options: {}, make: () => new Half() });
    const net = new Net();
    expect(failure(() => half(net.a), net, net.a)).toBe('Error: later');
    net.dispose();
  });

  it('refuses a function that goes on later', () => {
    const net = new Net();
    expect(failure(() => transaction(async () => void weightNorm(net.a)), net, net.a)).toMatch('ASYNC: ');
    net.dispose();
  });
});
