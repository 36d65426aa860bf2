import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Dropout, Dropout1d, Dropout2d, manualSeed } from '../../src/nn/index.ts';
import { statistics } from './init/statistics.ts';

/** Which of a thousand ones two calls let through. */
function masks(dropout: Dropout, calls = 2): string[] {
  return tf.tidy(() => {
    const x = tf.ones([1000]);
    return Array.from({ length: calls }, () => Array.from(dropout.call(x).dataSync()).join());
  });
}

describe('Dropout', () => {
  it('zeroes a share of p and scales the others so that the mean stays', () => {
    const dropout = new Dropout(0.3, { seed: 1 });
    const x = tf.ones([100, 100]);
    const y = dropout.call(x);
    const values = Array.from(y.dataSync());
    expect([...new Set(values)].sort()).toBeAllClose([0, 1 / 0.7]);
    expect(values.filter((value) => value === 0).length / values.length).toBeAllClose(0.3, {
      absolute: 0.02,
    });
    expect(statistics(y).mean).toBeAllClose(1, { absolute: 0.03 });
    tf.dispose([x, y]);
  });

  it('lets gradients through the mask that it drew', () => {
    const dropout = new Dropout(0.5, { seed: 1 });
    const x = tf.ones([50]);
    const { value, grad } = tf.tidy(() => {
      let output: tf.Tensor | undefined;
      const grad = tf.grad((z) => {
        output = tf.keep(dropout.call(z));
        return tf.sum(output);
      })(x);
      return { value: output!, grad };
    });
    expect(grad).toBeAllClose(value);
    tf.dispose([x, value, grad]);
  });

  it('is the identity in evaluation and for p = 0, in a tensor of its own', () => {
    const x = tf.tensor1d([1, 2, 3]);
    for (const dropout of [new Dropout(0.5).eval(), new Dropout(0)]) {
      const y = dropout.call(x);
      expect(y).toBeAllClose(x);
      y.dispose();
      expect(x.isDisposed).toBe(false);

      const kept = tf.tidy(() => dropout.call(x));
      const gradient = tf.grad((z) => tf.sum(tf.square(dropout.call(z))))(x);
      expect(kept).toBeAllClose([1, 2, 3]);
      expect(gradient).toBeAllClose([2, 4, 6]);
      tf.dispose([kept, gradient]);
    }
    const variable = tf.variable(x);
    new Dropout().eval().call(variable).dispose();
    expect(variable).toBeAllClose([1, 2, 3]);
    tf.dispose([x, variable]);
  });

  it('zeroes everything for p = 1', () => {
    const x = tf.ones([4]);
    const y = new Dropout(1).call(x);
    expect(y).toBeAllClose([0, 0, 0, 0]);
    tf.dispose([x, y]);
  });

  it('draws a new mask in every call', () => {
    expect(new Set(masks(new Dropout(), 3)).size).toBe(3);
    expect(new Set(masks(new Dropout(0.5, { seed: 0 }), 3)).size).toBe(3);
  });

  it.each([[0], [1], [-7], [2 ** 40]])('repeats its masks for seed %i', (seed) => {
    expect(masks(new Dropout(0.5, { seed }))).toEqual(masks(new Dropout(0.5, { seed })));
    expect(masks(new Dropout(0.5, { seed }))).not.toEqual(masks(new Dropout(0.5, { seed: seed + 1 })));
  });

  it('repeats its masks after manualSeed', () => {
    const dropout = new Dropout();
    manualSeed(0);
    const first = masks(dropout);
    expect(masks(dropout)).not.toEqual(first);
    manualSeed(0);
    expect(masks(dropout)).toEqual(first);
  });

  it('goes on by itself in a copy', () => {
    const dropout = new Dropout(0.5, { seed: 3 });
    masks(dropout, 1);
    const copy = dropout.clone();
    const next = masks(dropout);
    expect(masks(copy)).toEqual(next);
  });

  it('refuses what is no probability, no seed and no option', () => {
    for (const p of [-0.1, 1.1, Number.NaN, '0.5' as never]) {
      expect(() => new Dropout(p)).toThrow(
        expect.objectContaining({
          code: 'OPTION',
          message: expect.stringContaining(`p is ${p}, it must be a prob`),
        }),
      );
    }
    expect(() => new Dropout(0.5, { seed: 0.5 })).toThrow(
      'Dropout: seed is 0.5, it must be an integer. Pass a',
    );
    expect(() => new Dropout(0.5, { sede: 1 } as never)).toThrow("Did you mean 'seed'?");
  });

  it('prints its options as torch does', () => {
    expect(new Dropout(0.2).toString()).toBe('Dropout(p=0.2)');
  });
});

describe.each<[string, (p?: number) => Dropout1d | Dropout2d, number[], string]>([
  [
    'Dropout1d',
    (p) => new Dropout1d(p, { seed: 1 }),
    [20, 30, 4],
    '[n, channels, length] or [channels, length]',
  ],
  [
    'Dropout1d',
    (p) => new Dropout1d(p, { seed: 1 }),
    [600, 4],
    '[n, channels, length] or [channels, length]',
  ],
  ['Dropout2d', (p) => new Dropout2d(p, { seed: 1 }), [20, 30, 2, 2], '[n, channels, height, width] or'],
  ['Dropout2d', (p) => new Dropout2d(p, { seed: 1 }), [20, 30, 4], '[n, channels, height, width] or'],
])('%s', (name, make, shape, layouts) => {
  it(`zeroes whole channels of [${shape}]`, () => {
    const dropout = make(0.25);
    const x = tf.ones(shape);
    const [y, z] = [dropout.call(x), dropout.eval().call(x)];
    expect(y.shape).toEqual(shape);
    const values = Array.from(y.dataSync());
    const channels = Array.from({ length: 600 }, (_, i) => values.slice(4 * i, 4 * i + 4));
    expect(channels.filter((channel) => new Set(channel).size > 1)).toEqual([]);
    expect(channels.filter(([value]) => value === 0).length / 600).toBeAllClose(0.25, { absolute: 0.05 });
    expect(Math.max(...values)).toBeAllClose(4 / 3);
    expect(z).toBeAllClose(x);
    tf.dispose([x, y, z]);
  });

  it('refuses another rank, and what is no probability', () => {
    const x = tf.ones([3]);
    expect(() => make().call(x)).toThrow(
      expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(layouts) }),
    );
    expect(() => make(2)).toThrow(`${name}: p is 2, it must be a probability`);
    expect(make().toString()).toBe(`${name}(p=0.5)`);
    x.dispose();
  });
});
