import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weightNormOp } from '../../../src/kernels/index.ts';
import { defineWeightNorm, type WeightNormOp } from '../../../src/kernels/weightNorm/weightNormOp.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { checkLeaks } from '../checkLeaks.ts';
import { problems, tensorsOf } from './problems.ts';

/** The specification. */
const reference = defineWeightNorm(() => null);

const kernelNames = async (fn: () => tf.Tensor): Promise<string[]> => {
  const { kernels, result } = await tf.profile(fn);
  tf.dispose(result as tf.TensorContainer);
  return kernels.map(({ name }) => name);
};

/** The differences that rounding makes are relative to what is summed up, of which `count` numbers may be around 1. */
function expectEqual(actual: tf.Tensor, wanted: tf.Tensor, what: string, count: number): void {
  expect(actual.shape, what).toEqual(wanted.shape);
  const size = flatten(wanted).reduce((max, x) => Math.max(max, Math.abs(x)), Math.sqrt(count) / 4);
  expect(actual, what).toBeAllClose(wanted, { relative: 0, absolute: 4e-6 * size });
}

checkLeaks();

describe('weight norm as fused kernels', () => {
  it('is one kernel forward', async () => {
    const [g, v] = [tf.ones([4, 1]), tf.ones([4, 3])];
    expect(await kernelNames(() => weightNormOp(g, v, [1], 0))).toEqual(['tfjs-parametrize/WeightNorm']);
    tf.dispose([g, v]);
  });

  it('is two kernels forward and backward, with no more memory than their results', async () => {
    const size = 256 * 512;
    const [g, v, dW] = [tf.ones([256, 1]), tf.randomNormal([256, 512]), tf.randomNormal([256, 512])];
    const before = tf.memory().numBytes;
    const profile = await tf.profile(() => {
      tf.dispose(tf.grads((...x) => weightNormOp(x[0]!, x[1]!, [1], 0))([g, v], dW));
      return tf.scalar(0);
    });
    expect(profile.kernels.map(({ name }) => name).filter((name) => name.startsWith('tfjs-'))).toEqual([
      'tfjs-parametrize/WeightNorm',
      'tfjs-parametrize/WeightNormGradient',
    ]);
    expect(profile.kernels).toHaveLength(2);
    // numBytes also counts the second tensors on the data of g, v and the norms, which take no memory.
    const small = 4 * 256 * 4;
    expect(profile.peakBytes - before).toBeLessThanOrEqual(3 * 4 * size + small);
    tf.dispose([g, v, dW, profile.result as tf.Tensor]);
  });

  it('equals the reference for all shapes, axes and bounds', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        inTidy(() => {
          const { g, v } = tensorsOf(problem);
          const { axes, eps } = problem;
          expectEqual(weightNormOp(g, v, axes, eps), reference(g, v, axes, eps), 'W', 1);
        });
      }),
    );
  });

  it('has the gradients of the reference for all shapes, axes and bounds', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        inTidy(() => {
          const { g, v, dW } = tensorsOf(problem);
          const { axes, eps } = problem;
          const gradients = (op: WeightNormOp) => tf.grads((...x) => op(x[0]!, x[1]!, axes, eps))([g, v], dW);
          const [dg, dv] = gradients(weightNormOp);
          const wanted = gradients(reference);
          expectEqual(dg!, wanted[0]!, 'dg', v.size);
          expectEqual(dv!, wanted[1]!, 'dv', v.size);
        });
      }),
    );
  });

  it('has the second gradients of the reference for all shapes, axes and bounds', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        inTidy(() => {
          const { g, v, dW, ddg, ddv } = tensorsOf(problem);
          const { axes, eps } = problem;
          const second = (op: WeightNormOp) =>
            tf.grads((dW, g, v) => {
              const [dg, dv] = tf.grads((...x) => op(x[0]!, x[1]!, axes, eps))([g!, v!], dW);
              return tf.add(tf.sum(tf.mul(dg!, ddg)), tf.sum(tf.mul(dv!, ddv)));
            })([dW, g, v]);
          const wanted = second(reference);
          second(weightNormOp).forEach((gradient, i) => {
            expectEqual(gradient, wanted[i]!, `gradient ${i}`, v.size);
          });
        });
      }),
    );
  });

  it('has the third gradient of the reference', () => {
    inTidy(() => {
      const { g, v } = tensorsOf({ shape: [3, 4], axes: [1], seed: 5, eps: 0 });
      const third = (op: WeightNormOp) => {
        const once = (x: tf.Tensor) => tf.sum(tf.sin(op(g, x, [1], 0)));
        const twice = (x: tf.Tensor) => tf.sum(tf.sin(tf.grad(once)(x)));
        return tf.grad((x) => tf.sum(tf.sin(tf.grad(twice)(x))))(v);
      };
      expect(third(weightNormOp)).toBeAllClose(third(reference), { relative: 1e-4, absolute: 1e-4 });
    });
  });

  it('has NaN and infinity where the reference has them', async () => {
    const special = fc.constantFrom(
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      1,
      -2,
      0.5,
    );
    const kinds = (x: tf.Tensor) =>
      flatten(x).map((n) => (Number.isFinite(n) ? 'finite' : Number.isNaN(n) ? 'NaN' : 'infinite'));
    // Which of the two a gradient is hangs on rounding: ∞·(x − y) is NaN only if x is exactly y.
    const isFinite = (x: tf.Tensor) => flatten(x).map(Number.isFinite);
    const matrix = fc.array(special, { minLength: 12, maxLength: 12 });
    const axes = fc.constantFrom<number[]>([0], [1], [0, 1]);
    // On webgl and webgpu, tfjs divides equal numbers to 1, be they infinite: there the reference is that of cpu.
    const home = tf.getBackend();
    const ofReference = home.startsWith('webg') ? 'cpu' : home;
    await fc.assert(
      fc.asyncProperty(matrix, matrix, matrix, axes, async (vs, dWs, gs, axes) => {
        const run = (op: WeightNormOp) =>
          inTidy(() => {
            const [v, dW] = [vs, dWs].map((numbers) => tf.tensor2d(numbers, [3, 4])) as [
              tf.Tensor,
              tf.Tensor,
            ];
            const gShape = [3, 4].map((size, axis) => (axes.includes(axis) ? 1 : size)) as [number, number];
            const g = tf.tensor2d(gs.slice(0, gShape[0] * gShape[1]), gShape);
            const [dg, dv] = tf.grads((...x) => op(x[0]!, x[1]!, axes, 0))([g, v], dW);
            return [kinds(op(g, v, axes, 0)), isFinite(dg!), isFinite(dv!)];
          });
        const actual = run(weightNormOp);
        await tf.setBackend(ofReference);
        const wanted = run(reference);
        await tf.setBackend(home);
        expect(actual).toEqual(wanted);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves a g to the reference that has as many numbers as there are norms, but along other axes', async () => {
    const g = tf.tensor2d([[1, 2]]);
    const v = tf.tensor2d([
      [3, 4],
      [6, 8],
    ]);
    expect(await kernelNames(() => weightNormOp(g, v, [1], 0))).not.toContain('tfjs-parametrize/WeightNorm');
    inTidy(() => {
      expect(weightNormOp(g, v, [1], 0)).toBeAllClose([0.6, 1.6, 0.6, 1.6]);
    });
    tf.dispose([g, v]);
  });

  it('leaves what other dtypes and shapes of g there are to the reference', async () => {
    const v = tf.tensor2d([[3, 4]]);
    const whole = tf.tensor2d([[3, 4]], [1, 2], 'int32');
    const [one, two] = [tf.scalar(1), tf.tensor2d([[1], [2]])];
    const fused = 'tfjs-parametrize/WeightNorm';
    expect(await kernelNames(() => weightNormOp(one, v, [0, 1], 0))).toContain(fused);
    expect(await kernelNames(() => weightNormOp(one, whole, [0, 1], 0))).not.toContain(fused);
    expect(await kernelNames(() => weightNormOp(two, v, [1], 0))).not.toContain(fused);
    inTidy(() => {
      expect(weightNormOp(one, whole, [0, 1], 0)).toBeAllClose([0.6, 0.8]);
      expect(weightNormOp(two, v, [1], 0)).toBeAllClose([0.6, 0.8, 1.2, 1.6]);
      expect(weightNormOp(tf.zeros([0, 1]), tf.zeros([0, 3]), [1], 0).shape).toEqual([0, 3]);
    });
    tf.dispose([v, whole, one, two]);
  });
});
