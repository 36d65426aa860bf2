import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { forgetWarnings } from '../../../src/core/warnOnce.ts';
import { cached, registerParametrization, weightNorm } from '../../../src/index.ts';
import { expectOneAtEveryDepth } from '../../nn/gradientCheck.ts';
import { catalogCases, catalogNames, parametrizedLayer } from '../../parametrizations/catalogCases.ts';
import { flatten } from '../../toBeAllClose.ts';
import { losses } from './losses.ts';
import { Net, pureSpecimens, specimens } from './specimens.ts';

/** A map may freeze its base. */
const trained = (net: Net): tf.Variable[] => net.parameters().filter(({ trainable }) => trainable);

function gradientsOf(net: Net, f: () => tf.Tensor): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(tf.variableGrads(f as () => tf.Scalar, trained(net)).grads).map(([name, grad]) => [
      name,
      flatten(grad),
    ]),
  );
}

/** Maps of hundreds of products, whose third gradient takes minutes where a GPU is drawn in software. */
const long = [
  'almostOrthogonal',
  'doublyStochastic',
  'fixedRank',
  'grassmannian',
  'hurwitz',
  'invertible',
  'specialLinear',
];

const isTooLongHere = (name: string): boolean =>
  process.env['TFJS_BACKEND'] === 'webgl' && (long.includes(name.split(',')[0]!) || name.endsWith('polar'));

describe('L2: every read in a gradient is on its tape', () => {
  for (const name of pureSpecimens) {
    it.each(Object.keys(losses))(`gives the same gradients with and without cached: ${name}, %s`, (loss) => {
      const net = new Net();
      const maps = specimens[name]!.map((make) => make());
      for (const map of maps) registerParametrization(net, 'weight', map);
      const x = tf.randomNormal([4, 2], 0, 1, 'float32', 3);
      tf.tidy(() => {
        const f = () => losses[loss]!(x, () => net.weight, net.bias, net.parameters());
        const plain = gradientsOf(net, f);
        const scoped = cached(() => {
          net.weight; // an entry that was made off the tape, which must not be served on it
          tf.tidy(() => void net.weight);
          return gradientsOf(net, f);
        });
        expect(Object.keys(plain)).toHaveLength(trained(net).length);
        for (const [variable, gradient] of Object.entries(plain)) {
          expect(scoped[variable]).toBeAllClose(gradient);
        }
      });
      net.dispose();
      x.dispose();
      for (const map of maps) map.dispose();
    });
  }

  it('shares one evaluation among the reads of a tape, also through tidies and inner gradients', () => {
    const net = new Net();
    weightNorm(net);
    const list = net.parametrizations!['weight']!;
    const start = list.evaluations;
    tf.tidy(() => {
      tf.variableGrads(() => {
        const a = tf.tidy(() => tf.sum(net.weight));
        const b = tf.grad((x) => tf.sum(tf.mul(x, tf.square(net.weight))))(net.weight);
        return tf.add(a, tf.sum(b)) as tf.Scalar;
      });
    });
    expect(list.evaluations).toBe(start + 1);
    net.dispose();
  });

  it('differentiates twice with respect to the originals through an entry of the outer tape', () => {
    const net = new Net();
    weightNorm(net);
    const { g, v } = net.parametrizations!['weight']!;
    const second = (read: () => tf.Tensor) =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const outer = tf.sum(read());
          const [inner] = tf.grads(() => tf.sum(tf.square(read())))([g!]);
          return tf.add(outer, tf.sum(tf.square(inner!))) as tf.Scalar;
        }, [g!, v!]);
        return [flatten(grads[g!.name]!), flatten(grads[v!.name]!)];
      });
    const byHand = () => tf.mul(g!, tf.div(v!, tf.sqrt(tf.sum(tf.square(v!), 1, true))));
    expect(second(() => net.weight)).toBeAllClose(second(byHand), { relative: 1e-4, absolute: 1e-4 });
    net.dispose();
  });

  it.each(Object.keys(catalogCases).filter((name) => !isTooLongHere(name)))(
    'has the same gradients of second and third order at whatever depth a value is read and used: %s',
    (name) => {
      const layer = parametrizedLayer(name);
      expectOneAtEveryDepth(() => layer.weight, layer.parameters(), 2);
      expectOneAtEveryDepth(() => layer.weight, layer.parameters(), 3);
      layer.dispose();
    },
  );

  it('is tested with every map of the catalog', () => {
    expect(new Set(Object.keys(catalogCases).map((name) => name.split(',')[0]))).toEqual(
      new Set(catalogNames),
    );
  });

  it('has the right value and no gradient in the forward of a customGrad, and warns once with the remedy', () => {
    forgetWarnings();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const net = new Net();
    weightNorm(net);
    const x = tf.ones([3, 2]);
    const op = tf.customGrad((input) => ({
      value: tf.mul(input as tf.Tensor, net.weight),
      gradFunc: (dy: tf.Tensor) => dy,
    }));
    tf.tidy(() => {
      for (let i = 0; i < 2; i++) {
        const { value, grads } = tf.variableGrads(() => {
          const inside = op(x);
          return tf.add(tf.sum(inside), tf.sum(tf.square(net.weight))) as tf.Scalar;
        }, net.parametrizations!['weight']!.parameters());
        expect(Number.isFinite(value.dataSync()[0])).toBe(true);
        expect(Object.keys(grads), 'the read outside of the customGrad keeps its gradient').toHaveLength(2);
      }
    });
    const warnings = warn.mock.calls
      .map(([text]) => String(text))
      .filter((text) => text.includes('customGrad'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('pass it as an argument');
    warn.mockRestore();
    net.dispose();
    x.dispose();
  });
});
