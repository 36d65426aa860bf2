import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { powerIterationOp, spectralNormOp } from '../../../src/kernels/index.ts';
import { definePowerIteration } from '../../../src/kernels/spectralNorm/powerIterationOp.ts';
import { defineSpectralNorm, type SpectralNormOp } from '../../../src/kernels/spectralNorm/spectralNormOp.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';

const isFused = ['cpu', 'wasm'].includes(process.env['TFJS_BACKEND'] ?? 'cpu');

/** A tensor of any rank, an axis of it, and vectors of the right sizes. */
const problems = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
    axis: fc.nat(),
    seed: fc.integer({ min: 1, max: 1000 }),
    exponent: fc.constantFrom(-38, -30, -12, 0, 12, 30, 37),
  })
  .map(({ shape, axis, seed, exponent }) => ({ shape, dim: axis % shape.length, seed, exponent }));

const wave = (shape: readonly number[], seed: number, scale = 1): tf.Tensor =>
  tf.tensor(
    Array.from(
      { length: tf.util.sizeFromShape([...shape]) },
      (_, i) => scale * Math.sin(seed + 1.7 * i + i * i),
    ),
    [...shape],
  );

function make({
  shape,
  dim,
  seed,
  exponent,
}: {
  shape: number[];
  dim: number;
  seed: number;
  exponent: number;
}) {
  const unit = (x: tf.Tensor) => tf.div(x, tf.norm(x));
  const W = wave(shape, seed, 10 ** exponent);
  return {
    W,
    dim,
    vectors: {
      left: unit(wave([shape[dim]!], seed + 1)),
      right: unit(wave([W.size / shape[dim]!], seed + 2)),
    },
  };
}

/** The specifications, in operations of tfjs. */
const spectralNormReference = defineSpectralNorm(() => null);
const powerIterationReference = definePowerIteration(() => null);
const how = { iterations: 2, eps: 1e-12 };

describe('spectral norm, fused', () => {
  it.each(['left', 'right'] as const)(
    'moves the vectors as the operations of tfjs do, from the %s one on, for every shape, axis and size of numbers',
    (first) => {
      fc.assert(
        fc.property(problems, (problem) => {
          inTidy(() => {
            const { W, dim, vectors } = make(problem);
            const found = powerIterationOp(W, dim, vectors, { ...how, first });
            const wanted = powerIterationReference(W, dim, vectors, { ...how, first });
            for (const side of ['left', 'right'] as const) {
              expect(found[side].shape).toEqual(wanted[side].shape);
              expect(flatten(found[side])).toBeAllClose(flatten(wanted[side]), {
                relative: 0,
                absolute: 1e-4,
              });
            }
          });
        }),
      );
    },
  );

  it('has the value and the first and second gradients of the operations of tfjs', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        inTidy(() => {
          const { W, dim, vectors: start } = make(problem);
          // Near the singular vectors, so that σ is no difference of large numbers.
          const vectors = powerIterationReference(W, dim, start, {
            ...how,
            iterations: 20,
            first: 'left',
          });
          const scale = 10 ** problem.exponent;
          const dY = wave(problem.shape, 5);
          const all = (op: SpectralNormOp) => {
            // Of W/scale, so that the gradients are of a size that float32 has.
            const ofUnit = (x: tf.Tensor) => op(tf.mul(x, scale), dim, vectors);
            const loss = (x: tf.Tensor) => tf.sum(tf.mul(tf.square(ofUnit(x)), dY));
            const x = tf.div(W, scale);
            const first = tf.grad(loss);
            const second = tf.grad((x) => tf.sum(tf.mul(tf.square(first(x)), 0.5)));
            return [ofUnit(x), first(x), second(x)].map(flatten);
          };
          const [found, wanted] = [all(spectralNormOp), all(spectralNormReference)];
          wanted.forEach((values, i) => {
            const largest = Math.max(1, ...values.map(Math.abs));
            expect(found[i], `derivative ${i}`).toBeAllClose(values, {
              relative: 0,
              absolute: 2e-4 * largest,
            });
          });
        });
      }),
    );
  });

  it.each([
    ['zeros', () => tf.zeros([3, 4])],
    ['infinity', () => tf.tensor2d([[1, 2], [Number.POSITIVE_INFINITY, 3]])], // biome-ignore format: a matrix
    ['NaN', () => tf.tensor2d([[1, 2], [Number.NaN, 3]])], // biome-ignore format: a matrix
  ])('leaves the vectors as they are, and finite, for a matrix with %s', (_, matrix) => {
    inTidy(() => {
      const W = matrix();
      const left = tf.fill([W.shape[0]!], 0.5);
      const right = tf.fill([W.shape[1]!], 0.5);
      for (const first of ['left', 'right'] as const) {
        const found = powerIterationOp(W, 0, { left, right }, { ...how, first });
        const wanted = powerIterationReference(W, 0, { left, right }, { ...how, first });
        expect(flatten(found.left)).toEqual(flatten(wanted.left));
        expect(flatten(found.right)).toEqual(flatten(wanted.right));
      }
    });
  });

  describe.each([
    ['fused', spectralNormOp],
    ['in operations of tfjs', spectralNormReference],
  ])('where σ is zero, %s', (_, ofVectors) => {
    const vectors = () => ({ left: tf.tensor1d([1, 0, 0]), right: tf.tensor1d([0, 1, 0, 0]) });
    const op = (x: tf.Tensor): tf.Tensor => ofVectors(x, 0, vectors());

    it('keeps a matrix of zeros, with the gradients of the identity to the third order', () => {
      inTidy(() => {
        const W = tf.zeros([3, 4]);
        const dY = wave([3, 4], 3);
        expect(flatten(op(W))).toEqual(flatten(W));
        expect(flatten(tf.grad(op)(W, dY))).toBeAllClose(flatten(dY));
        // The derivatives of f(x) = Σ sin(x + 1)·dY are those of the function itself.
        const f = (map: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) =>
          tf.sum(tf.mul(tf.sin(tf.add(map(x), 1)), dY));
        const derivatives = (map: (x: tf.Tensor) => tf.Tensor) => {
          const first = tf.grad(f(map));
          const second = tf.grad((x) => tf.sum(tf.mul(first(x), wave([3, 4], 7))));
          const third = tf.grad((x) => tf.sum(tf.mul(second(x), wave([3, 4], 8))));
          return [first, second, third].map((grad) => flatten(grad(W)));
        };
        expect(derivatives(op)).toBeAllClose(derivatives((x) => tf.clone(x)));
      });
    });

    it('has no gradient through an output gradient of the first order for a matrix of zeros', () => {
      inTidy(() => {
        // `dW(dY, W)` is dY, whatever W: the gradients of ⟨dW, r⟩ are r and 0.
        const r = wave([3, 4], 5);
        const [toDY, toW] = tf.grads((dY, x) => tf.sum(tf.mul(tf.grad(op)(x, dY), r)))([
          wave([3, 4], 3),
          tf.zeros([3, 4]),
        ]);
        expect(flatten(toDY!)).toBeAllClose(flatten(r));
        expect(flatten(toW!)).toEqual(Array.from({ length: 12 }, () => 0));
      });
    });

    it('divides another matrix by its largest magnitude as a constant', () => {
      inTidy(() => {
        const W = tf.tensor2d([1, 0, 3, -4, 2, 1, 0, 1, -2, 3, 1, 2], [3, 4]);
        const dY = wave([3, 4], 3);
        expect(flatten(op(W))).toBeAllClose(flatten(tf.div(W, 4)));
        expect(flatten(tf.grad(op)(W, dY))).toBeAllClose(flatten(tf.div(dY, 4)));
        const slope = (x: tf.Tensor) => tf.sum(tf.mul(tf.grad(op)(x, dY), wave([3, 4], 5)));
        expect(flatten(tf.grad(slope)(W))).toEqual(Array.from({ length: 12 }, () => 0));
      });
    });
  });
});

it('takes one kernel to move the vectors, one forward and one backward, where there are kernels', async () => {
  const { W, vectors } = tf.tidy(() => {
    const { W, vectors } = make({ shape: [3, 4], dim: 0, seed: 1, exponent: 0 });
    return { W, vectors: { ...vectors } };
  });
  const dY = tf.ones([3, 4]);
  const { kernels } = await tf.profile(() =>
    tf.tidy(() => {
      powerIterationOp(W, 0, vectors, { ...how, first: 'left' });
      tf.grad((x) => spectralNormOp(x, 0, vectors))(W, dY);
    }),
  );
  const own = kernels.map(({ name }) => name).filter((name) => name.startsWith('tfjs-parametrize/'));
  expect(own).toEqual(
    isFused
      ? ['PowerIteration', 'SpectralNorm', 'SpectralNormGradient'].map((name) => `tfjs-parametrize/${name}`)
      : [],
  );
  if (isFused)
    expect(kernels.filter(({ name }) => !name.startsWith('tfjs-parametrize/')).length).toBeLessThan(3);
  tf.dispose([W, vectors.left, vectors.right, dY]);
});
