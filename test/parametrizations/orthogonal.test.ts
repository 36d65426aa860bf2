import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, ParametrizeError } from '../../src/core/errors.ts';
import { clone } from '../../src/model/index.ts';
import * as nn from '../../src/nn/index.ts';
import {
  Orthogonal,
  type OrthogonalOptions,
  orthogonal,
  skew,
  weightNorm,
} from '../../src/parametrizations/index.ts';
import {
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../src/parametrize/index.ts';
import { matrices, orthogonalityError } from '../ops/matrix/matrixCases.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { definition, type MapName, orthogonalized, rowsOf, transpose } from './orthogonalDefinition.ts';

const maps = ['matrixExp', 'cayley', 'householder'] as const;

/** A host of one weight, with numbers around 0 on the whole and around 2 on the diagonal, so that it is well conditioned. */
class Weight extends nn.Module {
  weight: tf.Tensor;

  constructor(shape: number[], seed = 1, scale = 1) {
    super();
    this.weight = nn.parameter(() => tf.mul(scale, wellConditioned(shape, seed)));
  }

  override forward(): tf.Tensor {
    return this.weight;
  }

  /** The originals and buffers that stand behind the weight. */
  state(): Record<'original' | 'base', tf.Variable> {
    const state = this.stateDict() as Record<string, tf.Variable>;
    return {
      original: state['parametrizations.weight.original']!,
      base: state['parametrizations.weight.0.base']!,
    };
  }

  numbers(): number[] {
    return tf.tidy(() => flatten(this.weight));
  }
}

const wellConditioned = (shape: number[], seed = 1): tf.Tensor => {
  const size = shape.slice(-2) as [number, number];
  return tf.add(tf.mul(matrices(shape, 1, seed), 0.4), tf.mul(tf.eye(...size), 2 * Math.cos(seed)));
};

/** The largest entry of `|QᵀQ − I|`, or of `|QQᵀ − I|` of a wide Q, over a batch. */
function errorOf(Q: tf.Tensor): number {
  const [m, n] = Q.shape.slice(-2) as [number, number];
  return tf.tidy(() => {
    const batch = tf.reshape(Q, [-1, m, n]);
    return orthogonalityError(m < n ? tf.transpose(batch, [0, 2, 1]) : batch);
  });
}

const tolerance = (shape: readonly number[]): number => 10 * Math.max(...shape.slice(-2)) * 2 ** -23;

const shapes = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    fc.integer({ min: 1, max: 7 }),
    fc.integer({ min: 1, max: 7 }),
  )
  .map(([batch, m, n]) => [...batch, m, n]);
const options = fc.record({ orthogonalMap: fc.constantFrom(...maps), useTrivialization: fc.boolean() });
const seeds = fc.integer({ min: 0, max: 50 });

/** The Q of the QR decompositions of a batch, in float64; of wide matrices, by way of the transpose. */
function qOf(numbers: number[], shape: readonly number[]): number[] {
  const [m, n] = shape.slice(-2) as [number, number];
  const rows = rowsOf(numbers, n);
  return Array.from({ length: rows.length / m }, (_, i) => rows.slice(i * m, (i + 1) * m)).flatMap((matrix) =>
    (m < n ? transpose(orthogonalized(transpose(matrix))) : orthogonalized(matrix)).flat(),
  );
}

function codeOf(fn: () => unknown): ErrorCode | undefined {
  try {
    fn();
  } catch (error) {
    if (error instanceof ParametrizeError) return error.code;
    throw error;
  }
  return undefined;
}

const canInvert = ({ orthogonalMap, useTrivialization }: OrthogonalOptions): boolean =>
  useTrivialization === true || orthogonalMap === 'householder';

describe('orthogonal', () => {
  it('is orthogonal for square, tall and wide matrices and batches of them (torch#79)', () => {
    fc.assert(
      fc.property(shapes, options, seeds, (shape, chosen, seed) => {
        const host = orthogonal(new Weight(shape, seed), 'weight', chosen);
        inTidy(() => {
          expect(host.weight.shape).toEqual(shape);
          expect(errorOf(host.weight)).toBeLessThanOrEqual(tolerance(shape));
        });
        host.dispose();
      }),
    );
  });

  // tfjs has no complex variables to train, so that torch's error for householder of complex tensors is one for all maps.
  it('takes float32 only: no complex numbers, no integers (torch#80)', () => {
    inTidy(() => {
      const made: tf.Tensor[] = [tf.ones([2, 2], 'int32'), tf.ones([2, 2], 'bool')];
      // The wasm backend has none.
      if (tf.getBackend() !== 'wasm') made.push(tf.complex(tf.ones([2, 2]), tf.ones([2, 2])));
      for (const value of made) {
        for (const orthogonalMap of maps) {
          expect(codeOf(() => new Orthogonal(value, { orthogonalMap }))).toBe('DTYPE');
        }
      }
    });
    const host = { weight: nn.parameter(() => tf.ones([2, 2], 'int32')) as tf.Tensor };
    expect(codeOf(() => orthogonal(host, 'weight'))).toBe('DTYPE');
    expect(host.weight).toBeInstanceOf(tf.Variable);
    host.weight.dispose();
  });

  it('begins with the Q of the QR decomposition with a positive diagonal, where it can (torch#81)', () => {
    fc.assert(
      fc.property(shapes, options.filter(canInvert), seeds, (shape, chosen, seed) => {
        const host = new Weight(shape, seed);
        const wanted = qOf(host.numbers(), shape);
        orthogonal(host, 'weight', chosen);
        expect(host.numbers()).toBeAllClose(wanted, { relative: 0, absolute: 2e-5 });
        host.dispose();
      }),
    );
  });

  it('begins with the image of the weight, where it cannot', () => {
    for (const orthogonalMap of ['matrixExp', 'cayley'] as const) {
      for (const [m, n] of [
        [4, 4],
        [5, 2],
        [2, 5],
      ] as const) {
        // biome-ignore format: shapes
        const host = new Weight([m, n]);
        const X = host.numbers();
        orthogonal(host, 'weight', { orthogonalMap, useTrivialization: false });
        expect(flatten(host.state().original)).toEqual(X);
        const wanted = definition(orthogonalMap, rowsOf(X, n)).flat();
        expect(host.numbers()).toBeAllClose(wanted, { relative: 0, absolute: 5e-6 });
        host.dispose();
      }
    }
  });

  it('reads an assigned orthogonal value back, and the Q of any other (torch#82)', () => {
    fc.assert(
      fc.property(shapes, options.filter(canInvert), seeds, (shape, chosen, seed) => {
        const host = orthogonal(new Weight(shape, seed), 'weight', chosen);
        inTidy(() => {
          const other = wellConditioned(shape, seed + 1);
          const Q = qOf(flatten(other), shape);
          host.weight = other;
          expect(host.weight).toBeAllClose(Q, { relative: 0, absolute: 2e-5 });
          host.weight = tf.tensor(Q, shape);
          expect(host.weight).toBeAllClose(Q, { relative: 0, absolute: 1e-5 });
        });
        host.dispose();
      }),
    );
  });

  it('keeps an orthogonal square matrix to the bit, also beside others in a batch', () => {
    const host = orthogonal(new Weight([2, 3, 3]));
    inTidy(() => {
      const kept = flatten(tf.eye(3)).map((x, i) => (i === 4 ? -x : x));
      host.weight = tf.stack([tf.tensor2d(kept, [3, 3]), wellConditioned([3, 3])]);
      expect(flatten(host.weight).slice(0, 9)).toEqual(kept);
      expect(errorOf(host.weight)).toBeLessThan(tolerance([3, 3]));
    });
    host.dispose();
  });

  it('cannot be assigned to where torch cannot either, and says so (torch#83)', () => {
    for (const orthogonalMap of ['matrixExp', 'cayley'] as const) {
      const host = orthogonal(new Weight([3, 3]), 'weight', { orthogonalMap, useTrivialization: false });
      const before = host.numbers();
      inTidy(() => {
        expect(codeOf(() => (host.weight = tf.eye(3)))).toBe('RIGHT_INVERSE');
      });
      expect(host.numbers()).toEqual(before);
      host.dispose();
    }
  });

  it('gives the diagonal and the other triangle a gradient of zero (torch#84)', () => {
    fc.assert(
      fc.property(shapes, options, seeds, (shape, chosen, seed) => {
        const [m, n] = shape.slice(-2) as [number, number];
        const host = orthogonal(new Weight(shape, seed), 'weight', chosen);
        inTidy(() => {
          const { original } = host.state();
          original.assign(wellConditioned(shape, seed + 2));
          const weights = matrices(shape, 1, seed);
          const { grads } = tf.variableGrads(() => tf.sum(tf.mul(host.weight, weights)), [original]);
          const rows = rowsOf(flatten(grads[original.name]!), n);
          const isUsed = (i: number, j: number): boolean => (m < n ? i < j : i > j);
          const unused = rows.flatMap((row, i) => row.filter((_, j) => !isUsed(i % m, j)));
          expect(unused.every((x) => Math.abs(x) === 0)).toBe(true);
          const used = rows.flatMap((row, i) => row.filter((_, j) => isUsed(i % m, j)));
          expect(used.every((x) => Number.isFinite(x))).toBe(true);
          if (used.length > 0) expect(used.some((x) => x !== 0)).toBe(true);
        });
        host.dispose();
      }),
    );
  });

  // On one backend, because it takes a while; `npm run catalog:drift` does so on cpu.
  it
    .runIf(process.env['TFJS_BACKEND'] === 'wasm')
    .each(maps.flatMap((map) => [[map, [4, 4]] as const, [map, [6, 3]] as const, [map, [2, 3, 5]] as const]))(
    'is still orthogonal after 1,000 steps of an optimizer: %s, [%s] (torch#85)',
    (map, shape) => {
      const host = orthogonal(new Weight([...shape]), 'weight', { orthogonalMap: map });
      const { original } = host.state();
      const target = tf.tidy(() => wellConditioned([...shape], 7));
      const optimizer = tf.train.sgd(0.05);
      const loss = (): tf.Scalar => tf.sum(tf.squaredDifference(host.weight, target));
      const before = tf.tidy(() => flatten(loss())[0]!);
      let worst = 0;
      for (let step = 0; step < 1000; step++) {
        optimizer.minimize(loss, false, [original]);
        if (step % 50 === 49)
          worst = Math.max(
            worst,
            tf.tidy(() => errorOf(host.weight)),
          );
      }
      expect(worst).toBeLessThanOrEqual(1e-5);
      expect(tf.tidy(() => flatten(loss())[0]!)).toBeLessThan(before);
      optimizer.dispose();
      target.dispose();
      host.dispose();
    },
  );

  it('refuses unknown maps, vectors, wrong options and values of another shape (torch#86)', () => {
    const vector = new nn.Linear(3, 3);
    expect(codeOf(() => orthogonal(vector, 'bias'))).toBe('SHAPE');
    expect(codeOf(() => orthogonal(vector, 'weight', { orthogonalMap: 'matrix_exp' as 'matrixExp' }))).toBe(
      'OPTION',
    );
    expect(codeOf(() => orthogonal(vector, 'weight', { useTrivialization: 'no' as never }))).toBe('OPTION');
    expect(codeOf(() => orthogonal(vector, 'weight', { map: 'cayley' } as object))).toBe('OPTION');
    expect(vector.parametrizations).toBeUndefined();
    vector.dispose();

    const host = orthogonal(new Weight([4, 3]));
    const [before, { original, base }] = [host.numbers(), host.state()];
    const state = [original.dataId, base.dataId];
    inTidy(() => {
      expect(codeOf(() => (host.weight = tf.ones([5, 5])))).toBe('SHAPE');
      expect([original.dataId, base.dataId]).toEqual(state);
      const map = new Orthogonal(tf.ones([4, 3]));
      expect(codeOf(() => map.rightInverse!(tf.ones([5, 5])))).toBe('SHAPE');
      expect(codeOf(() => map.forward(tf.ones([3, 4])))).toBe('SHAPE');
      expect(codeOf(() => new Orthogonal(tf.ones([0, 3])))).toBe('SHAPE');
      map.dispose();
    });
    expect(host.numbers()).toEqual(before);
    host.dispose();
  });

  it('is orthogonal and finite for originals of any size, and so are the gradients', () => {
    fc.assert(
      fc.property(
        shapes,
        options,
        fc.constantFrom(1e-30, 1e-3, 30, 1e3, 1e5),
        seeds,
        (shape, chosen, scale, seed) => {
          const host = orthogonal(new Weight(shape, seed), 'weight', chosen);
          inTidy(() => {
            const { original } = host.state();
            original.assign(tf.mul(scale, matrices(shape, 1, seed)));
            expect(errorOf(host.weight)).toBeLessThan(1e-5);
            const { grads } = tf.variableGrads(
              () => tf.sum(tf.mul(host.weight, matrices(shape))),
              [original],
            );
            expect(flatten(grads[original.name]!).every(Number.isFinite)).toBe(true);
          });
          host.dispose();
        },
      ),
    );
  });

  it.each([
    ['zeros', (shape: number[]) => tf.zeros(shape)],
    ['ones', (shape: number[]) => tf.ones(shape)],
    [
      'one number',
      (shape: number[]) =>
        tf.pad(
          tf.ones(shape.map(() => 1)),
          shape.map((n): [number, number] => [0, n - 1]),
        ),
    ],
    ['tiny numbers', (shape: number[]) => matrices(shape, 1e-30)],
    ['huge numbers', (shape: number[]) => matrices(shape, 1e30)],
  ] as const)('makes an orthogonal matrix of %s, which no decomposition is unique for', (_, make) => {
    for (const shape of [
      [4, 4],
      [2, 5, 3],
      [3, 5],
      [1, 1],
    ]) {
      // biome-ignore format: shapes
      for (const chosen of [{}, { orthogonalMap: 'householder', useTrivialization: false }] as const) {
        const host = orthogonal(new Weight(shape), 'weight', chosen);
        inTidy(() => {
          host.weight = make(shape);
          expect(errorOf(host.weight)).toBeLessThanOrEqual(tolerance(shape));
        });
        host.dispose();
      }
    }
  });

  it('makes the identity of zeros', () => {
    const host = orthogonal(new Weight([3, 3]));
    inTidy(() => {
      host.weight = tf.zeros([3, 3]);
      expect(host.weight).toBeAllClose(tf.eye(3));
    });
    host.dispose();
  });

  it('keeps its columns under weight decay, which turns them to zero in torch', () => {
    const host = orthogonal(new Weight([5, 3]), 'weight', { orthogonalMap: 'householder' });
    inTidy(() => {
      const before = host.numbers();
      const { original } = host.state();
      original.assign(tf.mul(original, 0.9));
      expect(host.numbers()).toEqual(before);
      original.assign(tf.zerosLike(original));
      expect(errorOf(host.weight)).toBeLessThan(tolerance([5, 3]));
    });
    host.dispose();
  });
});

describe('the gradient of orthogonal', () => {
  const cases = maps.flatMap(
    (map) =>
    [[3, 3], [4, 2], [2, 4], [5, 2], [2, 5], [4, 1], [1, 1]].map((shape) => [map, shape as [number, number]] as const), // biome-ignore format: shapes
  );
  const numbers = (size: number, seed: number): number[] =>
    Array.from({ length: size }, (_, i) => Math.fround(Math.sin(seed + 2.7 * i) + Math.cos(seed * i) / 2));
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const derivative = (f: (x: number[]) => number, x: readonly number[], step: number): number[] =>
    x.map((_, i) => {
      const at = (shift: number): number => f(x.map((value, j) => (i === j ? value + shift : value)));
      return (at(step) - at(-step)) / (2 * step);
    });

  it.each(cases)(
    'is that of the definition in float64, of first and second order: %s, [%s]',
    (map, shape) => {
      const [size, columns] = [shape[0] * shape[1], shape[1]];
      const [X, r, p, q] = [numbers(size, 1), numbers(size, 7), numbers(size, 5), numbers(size, 11)];
      // `Σ r·Q + ½ Σ p·Q²`, not linear in Q.
      const loss = (x: readonly number[]): number => {
        const Q = definition(map as MapName, rowsOf(x, columns)).flat();
        return (
          dot(r, Q) +
          dot(
            p,
            Q.map((value) => value * value),
          ) /
            2
        );
      };
      const gradient = (x: readonly number[]): number[] => derivative(loss, x, 1e-4);
      const penalty = (x: readonly number[]): number => {
        const dX = gradient(x);
        return dot(q, dX) + dot(dX, dX) / 2;
      };
      inTidy(() => {
        const parametrization = new Orthogonal(tf.zeros(shape), {
          orthogonalMap: map,
          useTrivialization: false,
        });
        const lossOf = (x: tf.Tensor): tf.Tensor => {
          const Q = parametrization.forward(x);
          const squares = tf.mul(tf.tensor2d(p, shape), tf.square(Q));
          return tf.add(tf.sum(tf.mul(tf.tensor2d(r, shape), Q)), tf.div(tf.sum(squares), 2));
        };
        const gradientOf = tf.grad(lossOf);
        const penaltyOf = (x: tf.Tensor): tf.Tensor => {
          const dX = gradientOf(x);
          return tf.add(tf.sum(tf.mul(tf.tensor2d(q, shape), dX)), tf.div(tf.sum(tf.square(dX)), 2));
        };
        const x = tf.tensor2d(X, shape);
        const wanted = [gradient(X), derivative(penalty, X, 1e-3)];
        [gradientOf(x), tf.grad(penaltyOf)(x)].forEach((found, i) => {
          const largest = Math.max(1, ...wanted[i]!.map(Math.abs));
          expect(flatten(found)).toBeAllClose(wanted[i]!, { relative: 0, absolute: 1e-4 * largest });
        });
      });
    },
  );

  it.each(maps)(
    'of each matrix of a batch, and through base, is that of the matrix alone: %s',
    (orthogonalMap) => {
      const shape = [2, 2, 3, 4];
      const host = orthogonal(new Weight(shape), 'weight', { orthogonalMap });
      inTidy(() => {
        const { original, base } = host.state();
        original.assign(matrices(shape));
        const weights = matrices(shape, 1, 4);
        const loss = (): tf.Scalar => tf.sum(tf.mul(host.weight, weights));
        const penalty = (): tf.Scalar => {
          const { grads } = tf.variableGrads(loss, [original]);
          return tf.sum(tf.square(grads[original.name]!));
        };
        const found = [loss, penalty].map((f) => tf.variableGrads(f, [original]).grads[original.name]!);
        const alone = Array.from({ length: 4 }, (_, i) => {
          const part = (x: tf.Tensor, m: number, n: number): tf.Tensor2D =>
            tf.reshape(tf.slice(tf.reshape(x, [4, m, n]), [i, 0, 0], [1, m, n]), [m, n]);
          const [X, B, w] = [part(original, 3, 4), part(base, 4, 4), part(weights, 3, 4)];
          const map = new Orthogonal(X, { orthogonalMap, useTrivialization: false });
          const value = (x: tf.Tensor): tf.Tensor =>
            tf.sum(tf.mul(tf.matMul(map.forward(x) as tf.Tensor2D, B, false, true), w));
          const squares = (x: tf.Tensor): tf.Tensor => tf.sum(tf.square(tf.grad(value)(x)));
          return [tf.grad(value)(X), tf.grad(squares)(X)];
        });
        found.forEach((gradient, order) => {
          const wanted = alone.flatMap((gradients) => flatten(gradients[order]!));
          expect(flatten(gradient)).toBeAllClose(wanted, { relative: 1e-4, absolute: 1e-4 });
        });
      });
      host.dispose();
    },
  );
});

describe('orthogonal in the mechanism', () => {
  it('changes nothing if another right inverse of the chain fails after it has written base', () => {
    class Fussy extends Parametrization {
      refuses = false;
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.mul(x, 2);
      }
      override rightInverse(y: tf.Tensor): tf.Tensor {
        if (this.refuses) throw new Error('refused');
        return tf.div(y, 2);
      }
    }
    const host = new Weight([3, 3]);
    const fussy = new Fussy();
    registerParametrization(host, 'weight', fussy);
    orthogonal(host);
    inTidy(() => {
      host.weight = wellConditioned([3, 3], 4);
    });
    const before = host.numbers();
    fussy.refuses = true;
    inTidy(() => {
      const value = wellConditioned([3, 3], 5);
      expect(() => (host.weight = value)).toThrow('refused');
    });
    expect(host.numbers()).toEqual(before);
    host.dispose();
  });

  it('leaves the value behind when it is removed, and the variable the host had', () => {
    for (const chosen of [{}, { useTrivialization: false }]) {
      const host = new Weight([4, 2]);
      const variable = host.weight;
      orthogonal(host, 'weight', chosen);
      const value = host.numbers();
      removeParametrizations(host, 'weight');
      expect(host.weight).toBe(variable);
      expect(host.numbers()).toEqual(value);
      expect(Object.keys(host.stateDict())).toEqual(['weight']);
      host.dispose();
    }
  });

  it('is copied with its base and its options', () => {
    const host = orthogonal(new Weight([4, 2]));
    const copy = clone(host);
    const before = copy.numbers();
    expect(before).toEqual(host.numbers());
    inTidy(() => {
      host.weight = wellConditioned([4, 2], 9);
    });
    expect(copy.numbers()).toEqual(before);
    expect(copy.state().base).not.toBe(host.state().base);
    host.dispose();
    copy.dispose();

    const fixed = orthogonal(new Weight([3, 3]), 'weight', { useTrivialization: false });
    const second = clone(fixed);
    fixed.dispose();
    inTidy(() => {
      expect(codeOf(() => (second.weight = tf.eye(3)))).toBe('RIGHT_INVERSE');
    });
    second.dispose();
  });

  it('is restored by its state dict', () => {
    const [trained, fresh] = [1, 2].map((seed) => orthogonal(new Weight([2, 5, 3], seed))) as [
      Weight,
      Weight,
    ];
    inTidy(() => {
      trained.state().original.assign(matrices([2, 5, 3]));
    });
    expect(Object.keys(trained.stateDict())).toEqual([
      'parametrizations.weight.original',
      'parametrizations.weight.0.base',
    ]);
    expect(trained.namedBuffers().map(([name]) => name)).toEqual(['parametrizations.weight.0.base']);
    fresh.loadStateDict(trained.stateDict());
    expect(fresh.numbers()).toEqual(trained.numbers());
    trained.dispose();
    fresh.dispose();
  });

  it('is evaluated once until an original or base changes', () => {
    const host = orthogonal(new Weight([3, 3]));
    const list = parametrizationsOn(host, 'weight');
    const { evaluations } = list;
    for (let i = 0; i < 3; i++) expect(host.weight).toBe(host.weight);
    expect(list.evaluations).toBe(evaluations + 1);
    inTidy(() => {
      host.state().base.assign(tf.eye(3));
      expect(host.weight).toBeAllClose(tf.eye(3));
    });
    expect(list.evaluations).toBe(evaluations + 2);
    host.dispose();
  });

  it('may stand on weight norm: the value is orthogonal, and what is assigned is read back', () => {
    for (const orthogonalMap of maps) {
      const host = weightNorm(new Weight([4, 3]));
      orthogonal(host, 'weight', { orthogonalMap });
      inTidy(() => {
        expect(errorOf(host.weight)).toBeLessThan(tolerance([4, 3]));
        const Q = tf.tensor2d(qOf(flatten(wellConditioned([4, 3], 6)), [4, 3]), [4, 3]);
        host.weight = Q;
        expect(host.weight).toBeAllClose(Q, { absolute: 1e-5 });
        expect(errorOf(host.weight)).toBeLessThan(tolerance([4, 3]));
      });
      host.dispose();
    }
  });

  it('is the composition of the maps when it is registered on another (torch#8)', () => {
    const host = skew(new Weight([4, 4]));
    const A = rowsOf(host.numbers(), 4);
    orthogonal(host, 'weight', { orthogonalMap: 'cayley' });
    inTidy(() => {
      expect(errorOf(host.weight)).toBeLessThan(tolerance([4, 4]));
      expect(host.weight).toBeAllClose(definition('cayley', A).flat(), { absolute: 1e-5 });
    });
    host.dispose();
  });

  it('completes the base of a tall or wide matrix without random numbers', () => {
    for (const shape of [
      [5, 2],
      [2, 5],
      [2, 70, 34],
    ]) {
      // biome-ignore format: shapes
      const [a, b] = [3, 4].map((seed) => {
        nn.manualSeed(seed);
        const host = orthogonal(new Weight(shape));
        const base = flatten(host.state().base);
        expect(inTidy(() => errorOf(host.state().base))).toBeLessThan(tolerance(shape));
        host.dispose();
        return base;
      });
      expect(a).toEqual(b);
    }
  });

  it('tells its options when it is printed', () => {
    inTidy(() => {
      const made = [
        new Orthogonal(tf.ones([3, 3])),
        new Orthogonal(tf.ones([3, 4])),
        new Orthogonal(tf.ones([3, 3]), { orthogonalMap: 'cayley', useTrivialization: false }),
      ];
      expect(made.map(String)).toEqual([
        'Orthogonal(orthogonalMap=matrixExp)',
        'Orthogonal(orthogonalMap=householder)',
        'Orthogonal(orthogonalMap=cayley, useTrivialization=false)',
      ]);
      for (const map of made) map.dispose();
    });
  });

  it.each(maps)(
    'reads no numbers, at registration, assignment, reading and training: %s',
    (orthogonalMap) => {
      const host = new Weight([70, 66]);
      const value = tf.tidy(() => wellConditioned([70, 66], 3));
      const reads: string[] = [];
      const originals = ['dataSync', 'arraySync', 'bufferSync'] as const;
      const prototype = tf.Tensor.prototype as unknown as Record<string, () => unknown>;
      const saved = originals.map((name) => prototype[name]!);
      originals.forEach((name, i) => {
        prototype[name] = function (this: tf.Tensor) {
          reads.push(name);
          return saved[i]!.call(this);
        };
      });
      try {
        orthogonal(host, 'weight', { orthogonalMap });
        host.weight = value;
        tf.dispose(tf.variableGrads(() => tf.sum(tf.square(host.weight))));
      } finally {
        originals.forEach((name, i) => {
          prototype[name] = saved[i]!;
        });
      }
      expect(reads).toEqual([]);
      value.dispose();
      host.dispose();
    },
  );
});
