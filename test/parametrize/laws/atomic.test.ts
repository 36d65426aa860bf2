import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cached,
  fold,
  type ParametrizationLike,
  registerParametrization,
  removeParametrizations,
  Symmetric,
  syncOptimizer,
  transferParametrizationsAndParams,
  weightNorm,
} from '../../../src/index.ts';
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
