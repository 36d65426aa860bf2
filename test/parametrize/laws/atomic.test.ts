import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cached,
  clone,
  fold,
  invalidate,
  isParametrized,
  nn,
  type ParametrizationLike,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  Symmetric,
  spectralNorm,
  syncOptimizer,
  describe as tableOf,
  transferParametrizationsAndParams,
  weightNorm,
} from '../../../src/index.ts';
import * as legacy from '../../../src/legacy/index.ts';
import { isModule } from '../../../src/nn/module/fields.ts';
import { tensorRecipes } from '../../../src/stateDict/tensorRecipes.ts';
import { flatten } from '../../toBeAllClose.ts';
import { failure } from '../unchanged.ts';
import { Net, specimens, write } from './specimens.ts';

const boom = (): never => {
  throw new Error('boom');
};
const register = (map: unknown) => (net: Net) =>
  registerParametrization(net as object, 'weight' as string, map as ParametrizationLike);

/** Calls that fail whatever is registered already, each in its own way and as late as it can. */
const failures: Record<string, (net: Net) => unknown> = {
  'a forward that throws': register((x: tf.Tensor) => {
    tf.mul(x, 2);
    return boom();
  }),
  'a forward that gives no tensor': register(() => 3),
  'a forward that changes the shape': register((x: tf.Tensor) => tf.concat([x, x])),
  'a forward that changes the dtype': register((x: tf.Tensor) => tf.cast(x, 'int32')),
  'a right inverse that throws half-way': register({
    forward: (x: tf.Tensor) => tf.clone(x),
    rightInverse: (x: tf.Tensor) => {
      tf.mul(x, 2);
      return boom();
    },
  }),
  'a right inverse of another shape': register({
    forward: (x: tf.Tensor) => tf.mul(tf.ones([3, 2]), tf.sum(x)),
    rightInverse: (x: tf.Tensor) => [tf.sum(x), 'no tensor'],
  }),
  'a map for square tensors only': register(new Symmetric()),
  'a map that reads what it computes': (net) => register((x: tf.Tensor) => tf.add(x, net.weight))(net),
  'a map that uses a variable it does not declare': (net) =>
    register((x: tf.Tensor) => tf.add(x, tf.sum(net.bias)))(net),
  'an unknown tensor': (net) => registerParametrization(net as object, 'wieght' as string, (x) => x),
  'an option that makes no sense': (net) => weightNorm(net, 'bias', { dim: 5 }),
  'removal of what is not there': (net) => removeParametrizations(net, 'bias'),
  'a transfer to a tensor of another shape': (net) => {
    const target = { weight: tf.variable(net.bias) };
    try {
      transferParametrizationsAndParams(net, target, net.parametrizations ? 'weight' : 'none');
    } finally {
      target.weight.dispose();
    }
  },
  'an assignment of another shape': (net) => {
    if (net.parametrizations === undefined) boom();
    const value = tf.ones([2, 3]);
    try {
      net.weight = value;
    } finally {
      value.dispose();
    }
  },
  'a state dict that does not fit': (net) => net.loadStateDict({ bias: net.bias, none: net.bias }),
  'variables that stand twice': (net) => {
    const optimizer = tf.train.sgd(0.1);
    try {
      syncOptimizer(optimizer, [net.bias as tf.Variable, net.bias as tf.Variable]);
    } finally {
      optimizer.dispose();
    }
  },
  'a cached that throws': (net) =>
    cached(() => {
      // In eval mode, where a read has no effect of its own.
      const { training } = net;
      net.eval();
      tf.tidy(() => void net.weight);
      net.train(training);
      boom();
    }),
  'a fold of nothing': () => fold(null as never),
};

describe('L5: a call that throws has changed nothing', () => {
  it.each(Object.keys(failures))('%s, on any chain, in any mode', (name) => {
    fc.assert(
      fc.property(
        fc.constantFrom('none', ...Object.keys(specimens)),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (specimen, training, trainable, borrowed) => {
          const net = new Net().train(training);
          (net.weight as tf.Variable).trainable = trainable;
          const maps = (specimens[specimen] ?? []).map((make) => make());
          for (const map of maps) registerParametrization(net, 'weight', map);
          const isPure = maps.every((map) => map.isPure());
          if (borrowed && isPure) net.weight;
          const before = isPure ? flatten(net.weight) : [];
          expect(failure(() => failures[name]!(net), net, ...maps)).not.toMatch(/^TypeError/);
          if (isPure) expect(flatten(net.weight)).toEqual(before);
          net.dispose();
          for (const map of maps) map.dispose();
        },
      ),
      { numRuns: 12 },
    );
  });

  it('an optimizer keeps its state when its sync fails', () => {
    const net = weightNorm(new Net());
    const optimizer = tf.train.adam(0.1);
    optimizer.minimize(() => tf.sum(net.weight) as tf.Scalar, false, net.parameters());
    const slots = () =>
      (
        optimizer as unknown as { accumulatedFirstMoment: { variable: tf.Variable }[] }
      ).accumulatedFirstMoment.map(({ variable }) => flatten(variable));
    const before = slots();
    failure(() => syncOptimizer(optimizer, [net.bias, 'x'] as never), net);
    expect(slots()).toEqual(before);
    optimizer.dispose();
    net.dispose();
  });

  it('several originals are assigned all or none', () => {
    let fail = false;
    const host: { weight: tf.Tensor } = { weight: tf.tidy(() => tf.variable(tf.tensor1d([3, 4]))) };
    registerParametrization(host, 'weight', {
      forward: (a: tf.Tensor, b: tf.Tensor) => tf.add(a, b),
      rightInverse: (x: tf.Tensor) => [tf.div(x, 2), fail ? tf.ones([3]) : tf.div(x, 2)],
    });
    const value = tf.tensor1d([8, 8]);
    fail = true;
    failure(() => {
      host.weight = value;
    }, host);
    const kept = host.weight;
    expect(kept).toBeAllClose([3, 4]);
    kept.dispose();
    removeParametrizations(host, 'weight');
    write(host.weight, () => tf.zeros([2]));
    tf.dispose([host.weight, value]);
  });
});

const double = (): ParametrizationLike => ({
  forward: (x) => tf.mul(x, 2),
  rightInverse: (x) => tf.div(x, 2),
  isPure: () => true,
});

describe('L5: a host that is locked after the registration', () => {
  const plain = (): { w: tf.Tensor } => ({ w: nn.parameter(() => tf.ones([2])) });
  const hosts: Record<string, () => { w: tf.Tensor }> = {
    'plain object': () => weightNorm(plain(), 'w'),
    module: () => weightNorm(new Single(), 'w'),
    'module with the hook API': () => legacy.weightNorm(new Single(), 'w') as Single,
    'object with a nested chain': () => {
      const host = registerParametrization(plain(), 'w', double());
      registerParametrization(parametrizationsOn(host, 'w'), 'original', double());
      return host;
    },
  };
  const locks = {
    freeze: <H extends object>(host: H): H => Object.freeze(host),
    seal: <H extends object>(host: H): H => Object.seal(host),
  };
  class Single extends nn.Module {
    w: tf.Tensor = nn.parameter(() => tf.ones([2]));
    override forward(): void {}
  }
  const free = (host: object): void => {
    if (isModule(host)) host.dispose();
    else parametrizationsOn(host, 'w').dispose();
  };

  for (const [kind, make] of Object.entries(hosts)) {
    for (const lock of ['freeze', 'seal'] as const) {
      it(`${kind}, ${lock}: removal and fold are refused and change nothing`, () => {
        const host = locks[lock](make());
        const list = parametrizationsOn(host, 'w');
        for (const call of [removeParametrizations, (target: object) => fold(target)]) {
          expect(failure(() => call(host, 'w'), host)).toMatch(/^IMMUTABLE_HOST: .* Remove before/);
          expect(isParametrized(host, 'w')).toBe(true);
        }
        expect(parametrizationsOn(host, 'w')).toBe(list);
        expect(tableOf(host).rows).toHaveLength(kind.includes('nested') ? 2 : 1);
        tf.tidy(() => {
          host.w = tf.tensor1d([3, 4]);
        });
        expect(host.w).toBeAllClose([3, 4]);
        invalidate(host, 'w');
        expect(host.w).toBeAllClose([3, 4]);
        free(host);
      });

      it(`${kind}, ${lock}: a copy of it can be changed`, () => {
        const host = locks[lock](make());
        const copy = clone(host);
        fold(copy);
        expect(copy.w).toBeAllClose([1, 1]);
        expect(isParametrized(host, 'w')).toBe(true);
        free(host);
        copy.w.dispose();
      });
    }

    it(`${kind}: removal works on one that only takes no new properties`, () => {
      const host = Object.preventExtensions(make());
      removeParametrizations(host, 'w');
      expect(host.w).toBeInstanceOf(tf.Variable);
      expect(host.w).toBeAllClose([1, 1]);
      expect(Object.keys(host).filter((key) => key !== 'training')).toEqual(['w']);
      host.w.dispose();
    });
  }

  it('a module whose dictionary of chains is frozen takes and gives no chain', () => {
    const net = weightNorm(new Net());
    Object.freeze(net.parametrizations);
    expect(failure(() => removeParametrizations(net, 'weight'), net)).toMatch('IMMUTABLE_HOST');
    expect(failure(() => weightNorm(net, 'bias'), net)).toMatch('IMMUTABLE_HOST');
    net.dispose();
  });

  it('a frozen list of parametrizations takes no further one', () => {
    const net = weightNorm(new Net());
    Object.freeze(net.parametrizations!['weight']);
    expect(failure(() => registerParametrization(net, 'weight', double()), net)).toMatch('IMMUTABLE_HOST');
    net.dispose();
  });

  it('a frozen module keeps its mode, and so do all others of the call', () => {
    const frozen = Object.freeze(new Net());
    const model = new nn.Sequential(new Net(), frozen, new Net());
    expect(failure(() => model.eval(), model)).toMatch(
      'IMMUTABLE_HOST: train: this Net is frozen in training',
    );
    model.train();
    model.dispose();
  });

  it('a frozen map keeps its mode: no removal can evaluate it', () => {
    const [map] = specimens['counting']!.map((make) => Object.freeze(make()));
    const net = registerParametrization(new Net(), 'weight', map!);
    expect(failure(() => removeParametrizations(net, 'weight'), net, map!)).toMatch('IMMUTABLE_HOST');
    net.dispose();
  });
});

describe('L5: what maps write on the way is put back', () => {
  it('declared dependencies, after a failed assignment', () => {
    const gain = nn.parameter(() => tf.scalar(2));
    let fails = false;
    const net = registerParametrization(new Net(), 'weight', {
      dependencies: [gain],
      isPure: () => true,
      forward: (x) => tf.mul(x, gain),
      rightInverse: (W) => {
        if (!fails) return tf.div(W, gain);
        gain.assign(tf.scalar(5));
        return boom();
      },
    });
    fails = true;
    const value = tf.ones([3, 2]);
    const assign = () => {
      net.weight = value;
    };
    expect(failure(assign, net, { gain })).toBe('Error: boom');
    tf.dispose([value, gain]);
    net.dispose();
  });

  it('the state of an object, after a trial, a failed registration, an inspection and a removal', () => {
    const count = nn.buffer(() => tf.scalar(0));
    const counting = {
      dependencies: [count],
      forward: (x: tf.Tensor): tf.Tensor => {
        count.assign(tf.add(count, 1));
        return tf.mul(x, 1);
      },
    };
    const net = registerParametrization(new Net(), 'weight', counting);
    expect(count).toBeAllClose([0]);
    tf.tidy(() => void net.weight);
    expect(count).toBeAllClose([1]);
    registerParametrization(net, 'weight', double());
    tf.dispose(net.stateDict({ keyFormat: 'folded' }));
    clone(net).dispose();
    tensorRecipes(net);
    tableOf(net);
    expect(count).toBeAllClose([1]);
    const wrong = { ...counting, forward: (x: tf.Tensor) => tf.sum(counting.forward(x)) };
    expect(failure(() => registerParametrization(net, 'bias', wrong), net, { count })).toMatch('SHAPE');
    removeParametrizations(net, 'weight');
    expect(count).toBeAllClose([1]);
    net.dispose();
    count.dispose();
  });

  it('the power iteration of another tensor that a refused map reads', () => {
    const other = spectralNorm(new Net());
    const net = new Net();
    const adding = (x: tf.Tensor) => tf.add(x, other.weight);
    expect(failure(() => registerParametrization(net, 'weight', adding), net, other)).toMatch(
      'HIDDEN_DEPENDENCY',
    );
    net.dispose();
    other.dispose();
  });

  it('a variable that a refused map writes and does not declare', () => {
    const count = nn.buffer(() => tf.scalar(0));
    const net = new Net();
    const counting = (x: tf.Tensor) => {
      count.assign(tf.add(count, 1));
      return tf.mul(x, 2);
    };
    expect(failure(() => registerParametrization(net, 'weight', counting), net, { count })).toMatch(
      'HIDDEN_DEPENDENCY',
    );
    net.dispose();
    count.dispose();
  });
});

describe('L5: fold is all or nothing', () => {
  /** A map that counts its evaluations and can be told to fail. */
  const counted = () => {
    const map = {
      calls: 0,
      fails: false,
      forward(x: tf.Tensor): tf.Tensor {
        map.calls++;
        return map.fails ? boom() : tf.mul(x, 2);
      },
    };
    return map;
  };

  it('evaluates each chain once', () => {
    const model = new nn.Sequential(new Net(), new Net());
    const maps = [counted(), counted()];
    for (const [i, net] of [...model].entries()) {
      registerParametrization(net as Net, 'weight', maps[i]!);
      registerParametrization(net as Net, 'bias', maps[i]!);
    }
    registerParametrization(parametrizationsOn([...model][0]!, 'weight'), 'original', double());
    for (const map of maps) map.calls = 0;
    fold(model);
    expect(maps.map(({ calls }) => calls)).toEqual([2, 2]);
    model.dispose();
  });

  it('whichever chain fails, of whichever API, nested or not', () => {
    const inner = new nn.Sequential(weightNorm(new Net()), legacy.weightNorm(new Net()));
    const last = new Net();
    const model = new nn.Sequential(inner, legacy.spectralNorm(new Net()), last);
    const map = counted();
    registerParametrization(last, 'weight', map);
    registerParametrization(parametrizationsOn(last, 'weight'), 'original', double());
    map.fails = true;
    expect(failure(() => fold(model), model)).toBe('Error: boom');
    map.fails = false;
    expect(fold(model)).toEqual(['0.0.weight', '0.1.weight', '1.weight', '2.weight']);
    model.dispose();
  });
});
