import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  nn,
  type ParametrizationLike,
  registerParametrization,
  removeParametrizations,
} from '../../../src/index.ts';
import { flatten } from '../../toBeAllClose.ts';
import { Net } from './specimens.ts';

describe('L4: a forward cannot dispose what it is given', () => {
  const eager = (x: tf.Tensor): tf.Tensor => {
    const y = tf.mul(x, 2);
    x.dispose();
    return y;
  };
  const maps: Record<string, () => ParametrizationLike> = {
    'a function': () => eager,
    'a pure object with a right inverse': () => ({
      forward: eager,
      isPure: () => true,
      rightInverse: (y) => {
        const x = tf.div(y, 2);
        y.dispose();
        return x;
      },
    }),
  };
  for (const [kind, make] of Object.entries(maps)) {
    it(`as the first step, a later one, or on a nested original: ${kind}`, () => {
      for (const times of [1, 2, 3]) {
        const net = new Net();
        for (let i = 0; i < times; i++) registerParametrization(net, 'weight', make());
        registerParametrization(net.parametrizations!['weight']!, 'original', make());
        const read = () => tf.tidy(() => flatten(net.weight));
        const value = read();
        for (let i = 0; i < 3; i++) expect(read()).toBeAllClose(value);
        const gradients = tf.variableGrads(() => tf.sum(net.weight) as tf.Scalar, net.parameters());
        tf.dispose(gradients);
        removeParametrizations(net, 'weight');
        expect(net.weight).toBeAllClose(value);
        net.dispose();
      }
    });
  }

  it('also where the step before it returns a tensor of its own', () => {
    const constant = nn.buffer(() => tf.ones([3, 2]));
    const net = new Net();
    registerParametrization(net, 'weight', { forward: () => constant, dependencies: [constant] });
    registerParametrization(net, 'weight', eager);
    for (let i = 0; i < 2; i++)
      tf.tidy(() => {
        expect(net.weight).toBeAllClose([2, 2, 2, 2, 2, 2]);
      });
    net.dispose();
    constant.dispose();
  });
});
