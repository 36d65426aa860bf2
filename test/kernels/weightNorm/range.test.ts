import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weightNormOp } from '../../../src/kernels/index.ts';
import { definition } from '../../parametrizations/float64.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { checkLeaks } from '../checkLeaks.ts';
import { problems, tensorsOf } from './problems.ts';

// Against the definition in float64, where the reference itself is at its limits.

const kept = (shape: readonly number[], axes: readonly number[]) =>
  [...shape.keys()].filter((axis) => !axes.includes(axis));

/** On cpu and wasm, norms are summed in float64. On a GPU, all is float32, and numbers below 2⁻¹²⁶ are taken for 0. */
const onGPU = ['webgl', 'webgpu'].includes(process.env['TFJS_BACKEND'] ?? '');
const smallest = onGPU ? 2 ** -126 : 2 ** -149;
const largest = onGPU ? 2 ** 125 : 3.4028234663852886e38;
const precision = onGPU ? 4e-6 : 1e-6;

checkLeaks();

describe('fused weight norm', () => {
  it(`has norms with a relative error of at most ${onGPU ? 2e-6 : 1e-7}`, () => {
    let worst = 0;
    fc.assert(
      fc.property(problems, fc.boolean(), (problem, isConstant) => {
        inTidy(() => {
          const { shape, axes } = problem;
          const { g } = tensorsOf(problem);
          // Equal numbers: every rounding error has the same sign.
          const v = isConstant ? tf.fill(shape, 0.1 + problem.seed / 1e6) : tensorsOf(problem).v;
          // The gradient of Σ W with respect to g is Σ u; of v itself it is the norm.
          const dg = tf.grad((x) => weightNormOp(x, v, axes, 0))(g, v);
          const norms = definition(shape, kept(shape, axes)).norms(flatten(v));
          flatten(dg).forEach((norm, i) => {
            worst = Math.max(worst, Math.abs(norm - norms[i]!) / norms[i]!);
          });
        });
      }),
    );
    // dg = ‖v‖²/‖v‖: the square of the norm has twice its error, its saved value and the result another half digit each.
    expect(worst).toBeLessThan(onGPU ? 4e-6 : 4e-7);
  });

  const magnitudes = onGPU ? fc.integer({ min: -36, max: 35 }) : fc.integer({ min: -44, max: 37 });
  const layouts = fc.constantFrom<[number[], number[]]>(
    [[3, 40], [1]],
    [[3, 40], [0]],
    [
      [3, 40],
      [0, 1],
    ],
    [[40, 3], [0]],
    [[19, 70], [0]],
    [
      [2, 3, 300],
      [0, 2],
    ],
    [[3, 2, 5], [1]],
    [[7], []],
  );

  it('is the definition wherever its numbers are, from the smallest to the largest', () => {
    fc.assert(
      fc.property(layouts, magnitudes, magnitudes, magnitudes, ([shape, axes], ofV, ofG, ofDW) => {
        inTidy(() => {
          const tensors = tensorsOf({ shape, axes, seed: 1000 + ofV, eps: 0 });
          const times = (x: tf.Tensor, exponent: number) =>
            tf.tensor(
              flatten(x).map((n) => Math.fround(n * 10 ** exponent)),
              x.shape,
            );
          const [g, v, dW] = [times(tensors.g, ofG), times(tensors.v, ofV), times(tensors.dW, ofDW)];
          const truth = definition(shape, kept(shape, axes));
          const [gs, vs, dWs] = [g, v, dW].map(flatten) as [number[], number[], number[]];
          const W = weightNormOp(g, v, axes, 0);
          const [dg, dv] = tf.grads((...x) => weightNormOp(x[0]!, x[1]!, axes, 0))([g, v], dW);
          // At once: of many hundred reads of a GPU that do not wait for it, Chromium answers the last ones with zeros.
          const numbers = flatten(tf.concat([W, dg!, dv!].map((x) => tf.reshape(x, [-1]))));
          const [ofDg, ofDv] = [numbers.slice(W.size, -v.size), numbers.slice(-v.size)];
          expect(numbers.slice(0, W.size)).toBeAllClose(truth.weight(gs, vs), {
            relative: precision,
            absolute: 2 * smallest,
          });
          const wanted = truth.gradient(gs, vs, dWs);
          // What cancels has the rounding errors of what it is made of; what is too large is infinite. A sum of products
          // that are all too small for float32 is taken for 0 where the norm makes that a gradient below 1e-39 of each.
          const norms = truth.norms(vs);
          const lost =
            onGPU || norms.some((norm) => norm >= 1e-6) ? vs.length * Math.max(smallest, 1e-39) : 0;
          const tolerance = precision * Math.hypot(...dWs) + 4 * smallest + lost;
          compare(ofDg, wanted.dg, tolerance);
          const factor = Math.max(...norms.map((norm, i) => Math.abs(gs[i]!) / norm));
          compare(ofDv, wanted.dv, factor * tolerance + 4 * smallest);
        });
      }),
      { numRuns: onGPU ? 100 : 300 },
    );
  });

  it.each([
    ['smallest', smallest],
    ['largest', largest],
  ])('has the directions of the %s numbers', (_, x) => {
    inTidy(() => {
      const v = tf.tensor2d([x, x, 0, 0, -x, 0], [3, 2]);
      const half = Math.SQRT1_2;
      const [rows, columns] = [tf.ones([3, 1]), tf.ones([1, 2])];
      expect(weightNormOp(rows, v, [1], 0)).toBeAllClose([half, half, 0, 0, -1, 0]);
      expect(weightNormOp(columns, v, [0], 0)).toBeAllClose([half, 1, 0, 0, -half, 0]);
    });
  });

  it.each([
    ['rows', false],
    ['columns', true],
  ])('is zero where v is, with zero gradients, also in %s between others', (_, isTransposed) => {
    inTidy(() => {
      const turned = (x: tf.Tensor) => (isTransposed ? tf.transpose(x) : x);
      const axes = [isTransposed ? 0 : 1];
      const v = turned(tf.tensor2d([3, 4, 0, 0, 0, 0, -4, 3], [4, 2]));
      const g = turned(tf.tensor2d([10, 20, 0, 5], [4, 1]));
      expect(turned(weightNormOp(g, v, axes, 0))).toBeAllClose([6, 8, 0, 0, 0, 0, -4, 3]);
      const [dg, dv] = tf.grads((...x) => weightNormOp(x[0]!, x[1]!, axes, 0))([g, v], tf.onesLike(v));
      expect(turned(dg!)).toBeAllClose([1.4, 0, 0, -0.2]);
      expect(turned(dv!)).toBeAllClose([0.32, -0.24, 0, 0, 0, 0, 0.84, 1.12]);
    });
  });
});

function compare(actual: readonly number[], wanted: readonly number[], absolute: number): void {
  actual.forEach((x, i) => {
    const target = wanted[i]!;
    if (Math.abs(target) + absolute > largest) return;
    expect(Math.abs(x - target), `${x} instead of ${target}`).toBeLessThanOrEqual(
      absolute + precision * Math.abs(target),
    );
  });
}
