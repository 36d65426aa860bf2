import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { cached, Parametrization, registerParametrization, weightNorm } from '../../../src/index.ts';
import { Net, optimizers, specimens } from './specimens.ts';

const rowNorms = (w: tf.Tensor) => tf.sqrt(tf.sum(tf.square(w), 1, true));
const byHand = (net: Net) => {
  const { g, v } = net.parametrizations!['weight']!;
  return tf.mul(g, tf.div(v, rowNorms(v)));
};
const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

describe('L3: an entry is never stale', () => {
  it.each(Object.keys(optimizers))('a whole training loop in cached equals the uncached loop: %s', (name) => {
    const losses = [false, true].map((inScope) => {
      const net = new Net();
      weightNorm(net);
      const list = net.parametrizations!['weight']!;
      const optimizer = optimizers[name]!();
      const x = tf.randomNormal([5, 2], 0, 1, 'float32', 9);
      const seen: number[] = [];
      const loop = () => {
        for (let i = 0; i < 6; i++) {
          const cost = optimizer.minimize(
            () => tf.mean(tf.square(tf.sub(net.call(x), 1))) as tf.Scalar,
            true,
            net.parameters(),
          )!;
          seen.push(cost.dataSync()[0]!);
          cost.dispose();
          tf.tidy(() => seen.push(tf.sum(net.weight).dataSync()[0]!, tf.sum(net.weight).dataSync()[0]!));
        }
      };
      const start = list.evaluations;
      if (inScope) {
        cached(loop);
        expect(list.evaluations - start, 'one on each tape, one after each step').toBe(12);
      } else loop();
      net.dispose();
      x.dispose();
      optimizer.dispose();
      (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
      return seen;
    });
    expect(losses[1]).toEqual(losses[0]);
  });

  it('tasks that overlap never see each other’s old values', async () => {
    const net = new Net();
    weightNorm(net);
    const { g } = net.parametrizations!['weight']!;
    const reader = cached(async () => {
      for (let i = 0; i < 8; i++) {
        tf.tidy(() => {
          expect(net.weight).toBeAllClose(byHand(net));
        });
        await pause();
      }
    });
    const writer = cached(async () => {
      for (let i = 0; i < 12; i++) {
        const next = tf.mul(g, 1.1);
        g.assign(next);
        next.dispose();
        tf.tidy(() => {
          expect(net.weight).toBeAllClose(byHand(net));
        });
        await pause();
      }
    });
    await Promise.all([reader, writer]);
    net.dispose();
  });

  it('records what a map depends on after the evaluation, so that a map that writes its state is not stale at once', () => {
    const net = new Net();
    const [map] = specimens['counting']!.map((make) => make());
    registerParametrization(net, 'weight', map!);
    const list = net.parametrizations!['weight']!;
    const start = list.evaluations;
    cached(() => {
      for (let i = 0; i < 3; i++) tf.tidy(() => void net.weight);
    });
    expect(list.evaluations).toBe(start + 1);
    net.dispose();
    map!.dispose();
  });

  it('stores nothing while the forward of a customGrad runs', () => {
    const net = new Net();
    weightNorm(net);
    const x = tf.ones([3, 2]);
    const { g, v } = net.parametrizations!['weight']!;
    cached(() =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const op = tf.customGrad((a) => ({
            value: tf.mul(
              a as tf.Tensor,
              tf.tidy(() => tf.sum(net.weight)),
            ),
            gradFunc: (dy: tf.Tensor) => dy,
          }));
          return tf.add(tf.sum(op(x)), tf.sum(tf.square(net.weight))) as tf.Scalar;
        }, [g, v]);
        expect(Object.keys(grads).sort()).toEqual([g.name, v.name].sort());
      }),
    );
    net.dispose();
    x.dispose();
  });

  // On wasm tfjs's own check takes every tensor that a tape saves for a leak.
  it.runIf(process.env['TFJS_BACKEND'] === 'cpu')(
    'leaves no data behind in a kernel, which tfjs checks in tests',
    () => {
      tf.env().set('IS_TEST', true);
      const net = weightNorm(new Net());
      const x = tf.ones([3, 2]);
      try {
        cached(() =>
          tf.tidy(() => {
            const op = tf.customGrad((a) => ({
              value: tf.mul(
                a as tf.Tensor,
                tf.tidy(() => tf.sum(net.weight)),
              ),
              gradFunc: (dy: tf.Tensor) => dy,
            }));
            tf.grad((a) => tf.sum(op(a)))(x);
            op(x);
            tf.grad((a) => tf.sum(tf.mul(a, net.weight)))(x);
          }),
        );
      } finally {
        tf.env().set('IS_TEST', false);
      }
      net.dispose();
      x.dispose();
    },
  );

  it('does not serve what an evaluation that threw has left', () => {
    let fail = false;
    class Fragile extends Parametrization {
      override forward(x: tf.Tensor): tf.Tensor {
        const half = tf.mul(x, 2);
        if (fail) throw new Error('half-way');
        return half;
      }
      override isPure(): boolean {
        return true;
      }
    }
    const net = new Net();
    const map = new Fragile();
    registerParametrization(net, 'weight', map);
    const before = tf.memory().numTensors;
    fail = true;
    map.invalidate();
    expect(() => net.weight).toThrow('half-way');
    expect(() => cached(() => net.weight)).toThrow('half-way');
    expect(() => tf.tidy(() => net.weight)).toThrow('half-way');
    expect(tf.memory().numTensors).toBe(before);
    fail = false;
    expect(net.weight).toBeAllClose(
      tf.tidy(() => [...tf.mul(map.forward(net.parametrizations!['weight']!.original), 1).dataSync()]),
    );
    net.dispose();
  });
});
