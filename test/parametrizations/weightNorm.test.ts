import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Module, parameter } from '../../src/nn/index.ts';
import { WeightNorm, weightNorm } from '../../src/parametrizations/index.ts';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../src/parametrize/index.ts';
import { Affine, inTidy, read } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { definition } from './float64.ts';

/** Shapes up to rank 4, with axes that keep a norm of their own, some counted from the end. */
const shapeAndDim = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    dim: fc
      .subarray(shape.map((_, axis) => axis))
      .chain((axes) =>
        fc.tuple(...axes.map((axis) => fc.constantFrom(axis, axis - shape.length))).map((dim) => [...dim]),
      ),
  }),
);

/** Numbers between -3 and 3 for a tensor of that size, none too close to 0. */
const numbersFor = (size: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => {
    const x = Math.sin(1 + seed + 2.7 * i * (1 + seed / 7));
    return 2 * x + Math.sign(x);
  });

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

const keptShape = (shape: readonly number[], dim: readonly number[]): number[] => {
  if (dim.length === 0) return [];
  const kept = dim.map((axis) => (axis < 0 ? axis + shape.length : axis));
  return shape.map((length, axis) => (kept.includes(axis) ? length : 1));
};

describe('WeightNorm', () => {
  it('is g · v / ‖v‖ over all axes but the kept ones, in any rank', () => {
    fc.assert(
      fc.property(shapeAndDim, fc.integer({ min: 0, max: 20 }), ({ shape, dim }, seed) => {
        const { slices, weight } = definition(shape, dim);
        const [g, v] = [numbersFor(slices, seed + 50), numbersFor(sizeOf(shape), seed)];
        const map = new WeightNorm({ dim });
        inTidy(() => {
          const W = map.forward(tf.tensor(g, keptShape(shape, dim)), tf.tensor(v, shape));
          expect(W.shape).toEqual(shape);
          expect(W).toBeAllClose(weight(g, v));
        });
      }),
    );
  });

  it('has a right inverse: forward of it is the value, its g are the norms, its v is the value', () => {
    fc.assert(
      fc.property(shapeAndDim, fc.integer({ min: 0, max: 20 }), ({ shape, dim }, seed) => {
        const numbers = numbersFor(sizeOf(shape), seed);
        const map = new WeightNorm({ dim });
        inTidy(() => {
          const W = tf.tensor(numbers, shape);
          const [g, v] = map.rightInverse(W);
          expect(g.shape).toEqual(keptShape(shape, dim));
          expect(g).toBeAllClose(definition(shape, dim).norms(numbers));
          expect(v).toBe(W);
          expect(map.forward(g, v)).toBeAllClose(W);
        });
      }),
    );
  });

  it('does not depend on the length of v', () => {
    const map = new WeightNorm({ dim: 1 });
    inTidy(() => {
      const [g, v] = [tf.tensor2d([[2, -3]]), tf.tensor2d(numbersFor(6, 3), [3, 2])];
      for (const factor of [1e-30, 0.5, 1e30]) {
        expect(map.forward(g, tf.mul(v, factor))).toBeAllClose(map.forward(g, v));
      }
    });
  });

  it('keeps a norm of every element if every axis is kept: g times the sign of v', () => {
    const map = new WeightNorm({ dim: [0, 1] });
    inTidy(() => {
      const [g, v] = [tf.tensor2d([[2, -3]]), tf.tensor2d([[-0.5, 7]])];
      expect(map.forward(g, v)).toBeAllClose([-2, -3]);
    });
  });

  it('takes null and an empty list for one norm, and -1 for the last axis, unlike torch', () => {
    const host = () => ({
      weight: parameter(
        tf.tensor2d([
          [3, 4],
          [0, 12],
        ]),
      ) as tf.Tensor,
    });
    const normsOf = (dim: number | number[] | null): { shape: number[]; norms: number[] } => {
      const plain = weightNorm(host(), 'weight', { dim });
      const { g } = parametrizationsOn(plain, 'weight');
      const result = { shape: g!.shape, norms: flatten(g!).map(Math.round) };
      removeParametrizations(plain, 'weight');
      plain.weight.dispose();
      return result;
    };
    expect(normsOf(null)).toEqual({ shape: [], norms: [13] });
    expect(normsOf([])).toEqual({ shape: [], norms: [13] });
    expect(normsOf(-1)).toEqual({ shape: [1, 2], norms: [3, 13] });
    expect(normsOf(1)).toEqual({ shape: [1, 2], norms: [3, 13] });
    expect(normsOf(0)).toEqual({ shape: [2, 1], norms: [5, 12] });
    expect(normsOf([0, 1])).toEqual({ shape: [2, 2], norms: [3, 4, 0, 12] });
  });

  it('passes NaN on to its own slice only, in value and gradients', () => {
    const map = new WeightNorm();
    const [v, g] = [
      tf.tensor2d([
        [Number.NaN, 1],
        [3, 4],
        [0, 0],
      ]),
      tf.tensor2d([[1], [10], [5]]),
    ];
    inTidy(() => {
      const value = flatten(map.forward(g, v));
      expect(value.slice(0, 2)).toEqual([Number.NaN, Number.NaN]);
      expect(value.slice(2)).toBeAllClose([6, 8, 0, 0]);
      const [dg, dv] = tf.grads((...originals) => map.forward(originals[0]!, originals[1]!))([g, v]);
      expect(flatten(dg!)[0]).toBeNaN();
      expect(flatten(dg!).slice(1)).toBeAllClose([1.4, 0]);
      expect(flatten(dv!).slice(0, 2)).toEqual([Number.NaN, Number.NaN]);
      expect(flatten(dv!).slice(2)).toBeAllClose([0.32, -0.24, 0, 0]);
    });
    tf.dispose([v, g]);
  });

  it('tells its options as torch prints them', () => {
    expect(String(new WeightNorm())).toBe('WeightNorm(dim=0)');
    expect(String(new WeightNorm({ dim: null }))).toBe('WeightNorm(dim=null)');
    expect(String(new WeightNorm({ dim: [0, -1], eps: 0.5 }))).toBe('WeightNorm(dim=[0, -1], eps=0.5)');
  });
});

describe('the lower bound eps of the norm', () => {
  it('is what is divided by where v is shorter', () => {
    const map = new WeightNorm({ eps: 2 });
    inTidy(() => {
      const [g, v] = [
        tf.tensor2d([[1], [1], [1]]),
        tf.tensor2d([
          [3, 4],
          [0.6, 0.8],
          [0, 0],
        ]),
      ];
      expect(map.forward(g, v)).toBeAllClose([0.6, 0.8, 0.3, 0.4, 0, 0]);
    });
  });

  it('leaves the value of the tensor alone at registration and assignment, also of rows that are shorter', () => {
    const host = {
      weight: parameter(
        tf.tensor2d([
          [3, 4],
          [0.6, 0.8],
          [0, 0],
        ]),
      ) as tf.Tensor,
    };
    weightNorm(host, 'weight', { eps: 2 });
    inTidy(() => expect(host.weight).toBeAllClose([3, 4, 0.6, 0.8, 0, 0]));
    inTidy(() => {
      host.weight = tf.tensor2d([
        [0.3, 0.4],
        [1, 1],
        [30, 40],
      ]);
      expect(host.weight).toBeAllClose([0.3, 0.4, 1, 1, 30, 40]);
    });
    removeParametrizations(host, 'weight');
    host.weight.dispose();
  });

  it('takes effect at once when it is set', () => {
    const host = { weight: parameter(tf.tensor2d([[0.6, 0.8]])) as tf.Tensor };
    const map = new WeightNorm();
    registerParametrization(host, 'weight', map);
    expect(host.weight).toBe(host.weight);
    map.eps = 4;
    expect(map.eps).toBe(4);
    inTidy(() => expect(host.weight).toBeAllClose([0.15, 0.2]));
    map.eps = 0;
    inTidy(() => expect(host.weight).toBeAllClose([0.6, 0.8]));
    removeParametrizations(host, 'weight');
    host.weight.dispose();
  });
});

describe('weightNorm', () => {
  it('normalizes the main weight by default, and is evaluated once until an original changes', () => {
    const host = new Affine();
    const value = read(host) as number[][];
    expect(weightNorm(host)).toBe(host);
    const list = parametrizationsOn(host, 'weight');
    const { evaluations } = list;
    for (let i = 0; i < 3; i++) expect(host.weight).toBe(host.weight);
    expect(list.evaluations).toBe(evaluations + 1);
    inTidy(() => {
      expect(host.weight).toBeAllClose(value);
      list.g!.assign(tf.mul(list.g!, 2));
      expect(host.weight).toBeAllClose(tf.mul(value, 2));
    });
    host.dispose();
  });

  it('may stand on several tensors of a module, and under another map', () => {
    class Gated extends Module {
      weight_ih: tf.Tensor = parameter(() => tf.ones([4, 2]));
      weight_hh: tf.Tensor = parameter(() => tf.ones([4, 4]));
      override forward(): tf.Tensor {
        return tf.concat([this.weight_ih, this.weight_hh], 1);
      }
    }
    const host = new Gated();
    const count = host.parameters().length;
    weightNorm(host, 'weight_hh');
    expect(host.parameters()).toHaveLength(count + 1);
    weightNorm(host, 'weight_ih', { dim: null });
    expect(host.parameters()).toHaveLength(count + 2);
    registerParametrization(host, 'weight_hh', (x) => tf.neg(x));
    inTidy(() => expect(host.weight_hh).toBeAllClose(tf.fill([4, 4], -1)));
    removeParametrizations(host, 'weight_hh');
    removeParametrizations(host, 'weight_ih');
    expect(host.parameters()).toHaveLength(count);
    host.dispose();
  });
});
