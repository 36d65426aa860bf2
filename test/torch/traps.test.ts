import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  cached,
  clone,
  nn,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  spectralNorm,
  syncOptimizer,
  transferParametrizationsAndParams,
  weightNorm,
} from '../../src/index.ts';
import { Affine, Double, inTidy, read, SumOfThree, variableOf } from '../parametrize/fixtures.ts';
import { disposeOptimizer } from '../parametrize/laws/specimens.ts';
import { failure } from '../parametrize/unchanged.ts';

// What goes wrong in torch, by the numbers of docs/torch-parity.md, and what happens here. T15 to T18 are in test/legacy.

const ones = (...shape: number[]): tf.Tensor => tf.ones(shape);

/** Writes into a variable. */
const set = (variable: tf.Tensor, value: () => tf.Tensor): void =>
  inTidy(() => (variable as tf.Variable).assign(value()));

/** The gradients of `Σ weight²` for the originals of a weight. */
const gradientsOf = (host: { weight: tf.Tensor }): number[][] =>
  inTidy(() => {
    const originals = parametrizationsOn(host, 'weight').parameters();
    const { grads } = tf.variableGrads(() => tf.sum(tf.square(host.weight)) as tf.Scalar, originals);
    return originals.map(({ name }) => Array.from(grads[name]!.dataSync()));
  });

describe('a copy', () => {
  it('T1: has its own value inside of cached', () => {
    const host = weightNorm(new Affine());
    const copy = clone(host);
    set(parametrizationsOn(copy, 'weight').g!, () => ones(3, 1));
    cached(() => {
      const [value, other] = [read(host), read(copy)];
      expect(value).not.toEqual(other);
      expect([read(host), read(copy)]).toEqual([value, other]);
      expect(host.weight).not.toBe(copy.weight);
    });
    copy.dispose();
    host.dispose();
  });

  it('T2: may lose its parametrization without harm to the source', () => {
    const host = weightNorm(new Affine());
    const value = read(host);
    const copy = clone(host);
    removeParametrizations(copy, 'weight');
    expect(read(host)).toEqual(value);
    expect(copy.weight).toBeInstanceOf(tf.Variable);
    copy.dispose();
    removeParametrizations(host, 'weight');
    expect(read(host)).toEqual(value);
    host.dispose();
  });
});

describe('inside of cached', () => {
  it('T3: an assignment, a loaded state dict and an optimizer step are seen by the next read', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const seven = tf.fill([3, 3], 7);
    const sgd = tf.train.sgd(0.25);
    cached(() => {
      read(host);
      host.weight = seven;
      inTidy(() => expect(host.weight).toBeAllClose(tf.fill([3, 3], 7)));
      host.loadStateDict({ 'parametrizations.weight.original': seven }, { strict: false });
      inTidy(() => expect(host.weight).toBeAllClose(tf.fill([3, 3], 14)));
      sgd.minimize(() => tf.sum(host.weight) as tf.Scalar, false, host.parameters());
      inTidy(() => expect(host.weight).toBeAllClose(tf.fill([3, 3], 13)));
    });
    tf.dispose(seven);
    sgd.dispose();
    host.dispose();
  });

  it('T4: a whole training loop goes as outside of it', () => {
    const train = (host: Affine): unknown => {
      const x = ones(2, 3);
      const adam = tf.train.adam(0.1);
      const loss = (): tf.Scalar => tf.sum(tf.square(host.call(x) as tf.Tensor));
      for (let i = 0; i < 4; i++) adam.minimize(loss, false, host.parameters());
      x.dispose();
      disposeOptimizer(adam);
      return read(host);
    };
    const [outside, inside] = [weightNorm(new Affine()), weightNorm(new Affine())];
    const start = read(outside);
    const trained = train(outside);
    expect(trained).not.toEqual(start);
    expect(cached(() => train(inside))).toEqual(trained);
    outside.dispose();
    inside.dispose();
  });

  it('T5: a read without a gradient does not cut the gradient of the next', () => {
    const host = weightNorm(new Affine());
    const wanted = gradientsOf(host);
    expect(Math.max(...wanted.flat().map(Math.abs))).toBeGreaterThan(0);
    cached(() => {
      host.weight;
      tf.tidy(() => void host.weight);
      expect(gradientsOf(host)).toEqual(wanted);
    });
    host.dispose();
  });
});

describe('an optimizer from before the registration', () => {
  it('T6: trains every original, and keeps its moments for the variables that stay', () => {
    const train = (register: (host: Affine, adam: tf.Optimizer) => void): Affine => {
      const host = new Affine();
      const adam = tf.train.adam(0.01);
      const step = (): void =>
        void adam.minimize(
          () => tf.add(tf.sum(tf.square(host.weight)), tf.sum(tf.square(tf.mul(host.bias, 30)))),
          false,
          host.parameters(),
        );
      for (let i = 0; i < 3; i++) step();
      register(host, adam);
      step();
      disposeOptimizer(adam);
      return host;
    };
    let start: unknown[] = [];
    const plain = train(() => {});
    const normed = train((host, adam) => {
      weightNorm(host);
      syncOptimizer(adam, host.parameters());
      const { g, v } = parametrizationsOn(host, 'weight');
      start = [g!.arraySync(), v!.arraySync()];
    });
    const { g, v } = parametrizationsOn(normed, 'weight');
    expect(g!.arraySync()).not.toEqual(start[0]);
    expect(v!.arraySync()).not.toEqual(start[1]);
    // Whatever was registered on the weight, the bias goes on with its own moments.
    expect(read(normed, 'bias')).toBeAllClose(read(plain, 'bias') as number[]);
    plain.dispose();
    normed.dispose();
  });

  it('T6: trains the original that took the variable over also by a list from before', () => {
    const host = new Affine();
    const [sgd, before] = [tf.train.sgd(0.1), host.parameters()];
    weightNorm(host, 'weight');
    const start = read(host);
    // The loss is no function of the lengths of v, so only its directions move.
    sgd.minimize(() => tf.sum(tf.mul(host.weight, host.bias)) as tf.Scalar, false, before);
    expect(before).toContain(parametrizationsOn(host, 'weight').v);
    expect(read(host)).not.toEqual(start);
    sgd.dispose();
    host.dispose();
  });
});

describe('initializing after the registration', () => {
  it('T7: refuses to write into the computed tensor, and works by assignment', () => {
    const layer = weightNorm(new nn.Linear(2, 3));
    expect('assign' in layer.weight).toBe(false);
    expect(failure(() => nn.init.zeros(layer.weight), layer)).toMatch('NOT_A_VARIABLE: init.zeros: ');
    const value = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    layer.weight = value;
    expect(read(layer)).toBeAllClose(value);
    expect(parametrizationsOn(layer, 'weight').g).toBeAllClose([Math.sqrt(5), 5, Math.sqrt(61)]);
    value.dispose();
    layer.dispose();
  });
});

describe('assigning another shape', () => {
  it('T8: is refused with both shapes, for one original and for several', () => {
    for (const map of [new Double(), new SumOfThree()]) {
      const host = new Affine();
      registerParametrization(host, 'weight', map);
      const value = ones(4, 4);
      const assign = (): void => {
        host.weight = value;
      };
      expect(failure(assign, host)).toMatch('SHAPE: assigning Affine.weight: the value has shape [4, 4]');
      value.dispose();
      host.dispose();
    }
  });
});

describe('removal', () => {
  it('T9: leaves a trainable variable wherever it is called', () => {
    const places: readonly ((remove: () => void) => void)[] = [
      (remove) => remove(),
      (remove) => tf.tidy(remove),
      (remove) => cached(remove),
      (remove) => {
        const gradient = tf.grad((x) => {
          remove();
          return tf.square(x);
        });
        inTidy(() => gradient(tf.scalar(1)));
      },
    ];
    for (const place of places) {
      const host = weightNorm(new Affine()).eval();
      const value = read(host);
      place(() => {
        removeParametrizations(host, 'weight');
      });
      expect(host.weight).toBeInstanceOf(tf.Variable);
      expect(variableOf(host).trainable).toBe(true);
      expect(host.namedParameters().map(([name]) => name)).toEqual(['weight', 'bias']);
      expect(read(host)).toBeAllClose(value as number[][]);
      host.dispose();
    }
  });
});

describe('recurrent layers', () => {
  const networks: Record<string, () => nn.LSTM | nn.GRU | nn.RNN> = {
    LSTM: () => new nn.LSTM(2, 3, { numLayers: 2, bidirectional: true }),
    GRU: () => new nn.GRU(2, 3, { numLayers: 2, bidirectional: true }),
    RNN: () => new nn.RNN(2, 3, { numLayers: 2, bidirectional: true }),
  };

  it.each(Object.keys(networks))(
    'T10: %s runs on each of its parametrized weights, and trains them',
    (name) => {
      const names = networks[name]!().namedParameters();
      const x = tf.randomNormal([4, 1, 2], 0, 1, 'float32', 3);
      const outputOf = (network: nn.LSTM | nn.GRU | nn.RNN): number[] =>
        inTidy(() => Array.from((network.call(x)[0] as tf.Tensor).dataSync()));
      for (const [key] of names) {
        const network = networks[name]!();
        const plain = outputOf(network);
        registerParametrization<nn.Module, string>(network, key, (w) => tf.mul(w, 2));
        const original = parametrizationsOn(network, key).original!;
        const doubled = outputOf(network);
        expect(doubled, `${key}, doubled`).not.toBeAllClose(plain);
        const { value, grads } = tf.variableGrads(
          () => tf.sum(tf.square(network.call(x)[0] as tf.Tensor)) as tf.Scalar,
          [original],
        );
        inTidy(() => expect(tf.max(tf.abs(grads[original.name]!)).dataSync()[0], key).toBeGreaterThan(0));
        tf.dispose([value, grads]);
        removeParametrizations(network, key);
        expect(outputOf(network), `${key}, removed`).toBeAllClose(doubled);
        network.dispose();
      }
      tf.dispose([x, names.map(([, variable]) => variable)]);
    },
  );
});

describe('tied weights', () => {
  it('T11: cannot be parametrized on one module alone, and the error names the remedy', () => {
    const [a, b] = [new Affine(), new Affine()];
    b.weight.dispose();
    b.weight = a.weight;
    expect(failure(() => registerParametrization(a, 'weight', new Double()), a, b)).toMatch(
      "TIED: registerParametrization: the variable of Affine.weight is also in the field 'weight' of Affine. That field would hold the original, not the value. Tie the modules",
    );
    b.bias.dispose();
    a.dispose();
  });

  it('T11: cannot be parametrized twice by their variable, and the error names the remedy', () => {
    const [a, b] = [new Affine(), new Affine()];
    b.weight.dispose();
    registerParametrization(a, 'weight', new Double());
    b.weight = parametrizationsOn(a, 'weight').original as tf.Variable;
    expect(failure(() => registerParametrization(b, 'weight', new Double()), a, b)).toMatch(
      'TIED: registerParametrization: the variable of Affine.weight is an original of Affine.weight already. Tie the modules',
    );
    b.bias.dispose();
    a.dispose();
  });

  it('T11: stay tied where the modules are, or where the parametrization is transferred', () => {
    class Twice extends nn.Module {
      first = new Affine();
      second = this.first;
      override forward(x: tf.Tensor): tf.Tensor {
        return this.second.call(this.first.call(x) as tf.Tensor) as tf.Tensor;
      }
    }
    const model = new Twice();
    registerParametrization(model.first, 'weight', new Double());
    expect(read(model.second)).toEqual(read(model.first));
    expect(model.parameters()).toHaveLength(2);

    const other = new Affine();
    transferParametrizationsAndParams(model.first, other);
    const value = tf.fill([3, 3], 5);
    other.weight = value;
    inTidy(() => expect(model.second.weight).toBeAllClose(value));
    value.dispose();
    other.dispose();
    model.dispose();
  });
});

describe('a tensor of zeros', () => {
  it('T12: in a row of weight norm gives a zero row and zero gradients there', () => {
    const host = new Affine();
    set(variableOf(host), () => tf.tensor2d([3, 0, 4, 0, 0, 0, 1, 1, 1], [3, 3]));
    weightNorm(host);
    inTidy(() => expect(host.weight).toBeAllClose([3, 0, 4, 0, 0, 0, 1, 1, 1]));
    const [g, v] = gradientsOf(host);
    expect(g).toBeAllClose([10, 0, 2 * Math.sqrt(3)]);
    expect(v!.slice(3, 6)).toEqual([0, 0, 0]);
    expect([...g!, ...v!].every(Number.isFinite)).toBe(true);
    host.dispose();
  });

  it('T13: in spectral norm stays zero, with finite gradients', () => {
    const host = new Affine();
    set(variableOf(host), () => tf.zeros([3, 3]));
    spectralNorm(host);
    inTidy(() => expect(host.weight).toBeAllClose(tf.zeros([3, 3])));
    expect(gradientsOf(host).flat()).toEqual(Array(9).fill(0));
    host.dispose();
  });
});

describe('a checkpoint of the plain model', () => {
  it('T14: loads into the parametrized one, through the right inverses', () => {
    const source = new nn.Sequential(new nn.Linear(3, 3), new nn.Linear(3, 3));
    const first = weightNorm(new nn.Linear(3, 3));
    const second = new nn.Linear(3, 3);
    registerParametrization(second, 'weight', new Double());
    const target = new nn.Sequential(first, second);
    const { mapped, missingKeys, unexpectedKeys } = target.loadStateDict(source.stateDict());
    expect([missingKeys, unexpectedKeys]).toEqual([[], []]);
    expect(mapped.map(({ from, to }) => [from, to])).toEqual([
      [['0.weight'], ['0.parametrizations.weight.original0', '0.parametrizations.weight.original1']],
      [['1.weight'], ['1.parametrizations.weight.original']],
    ]);
    const x = tf.randomNormal([2, 3], 0, 1, 'float32', 1);
    inTidy(() => expect(target.call(x)).toBeAllClose(source.call(x)));
    x.dispose();
    target.dispose();
    source.dispose();
  });

  it('T14: says what is missing where there is no right inverse, and loads nothing', () => {
    const source = new nn.Linear(3, 3);
    const target = new nn.Linear(3, 3);
    registerParametrization(target, 'weight', (x) => tf.exp(x));
    expect(failure(() => target.loadStateDict(source.stateDict()), target, source)).toMatch(
      /STATE_DICT: .*'weight': .* no rightInverse/,
    );
    target.dispose();
    source.dispose();
  });
});
