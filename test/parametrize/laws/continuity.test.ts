import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fold, removeParametrizations, syncOptimizer, WeightNorm, weightNorm } from '../../../src/index.ts';
import { losses } from './losses.ts';
import { disposeOptimizer, Net, optimizers } from './specimens.ts';
import { Twin } from './twin.ts';

const x = () => tf.randomNormal([4, 2], 0, 1, 'float32', 5);
const loss = losses['two reads']!;

describe('L7: an optimizer goes on', () => {
  it('the last original of the shape is the host’s own variable, frozen if it was frozen', () => {
    const net = new Net();
    const weight = net.weight as tf.Variable;
    weight.trainable = false;
    weightNorm(net);
    const { g, v } = net.parametrizations!['weight']!;
    expect(v).toBe(weight);
    expect([g!.trainable, v!.trainable]).toEqual([false, false]);
    net.dispose();
  });

  it.each(Object.keys(optimizers))(
    'equals a twin that never lost its state, after each change: %s',
    (name) => {
      const net = new Net();
      const twin = new Twin(net.weight, net.bias, name);
      const optimizer = optimizers[name]!();
      const input = x();
      const train = (steps: number) => {
        for (let i = 0; i < steps; i++) {
          const cost = optimizer.minimize(
            () => loss(input, () => net.weight, net.bias, net.parameters()),
            true,
            net.parameters(),
          )!;
          expect(cost).toBeAllClose(twin.step(loss, input), { relative: 1e-4 });
          cost.dispose();
        }
      };
      train(4);
      weightNorm(net);
      twin.register(new WeightNorm());
      syncOptimizer(optimizer, net.parameters());
      train(4);
      removeParametrizations(net, 'weight');
      twin.remove();
      syncOptimizer(optimizer, net.parameters());
      train(4);
      weightNorm(net, 'weight', { dim: null });
      twin.register(new WeightNorm({ dim: null }));
      syncOptimizer(optimizer, net.parameters());
      train(3);
      fold(net);
      twin.remove();
      syncOptimizer(optimizer, net.parameters());
      train(3);
      const value = twin.read();
      expect(net.weight).toBeAllClose(value, { relative: 1e-4, absolute: 1e-5 });
      net.dispose();
      twin.dispose();
      disposeOptimizer(optimizer);
      input.dispose();
    },
  );
});
