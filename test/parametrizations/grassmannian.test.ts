import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { grassmannian, nn, parametrizationsOn } from '../../src/index.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';
import { prepareBase } from './geotorchBase.ts';

describeEntryLaws(grassmannian as Entry, {
  checksRoom: true,
  cases: [
    { shape: [4, 3] },
    { shape: [2, 2, 4], options: { orthogonalMap: 'cayley' } },
    { shape: [3, 2, 2], options: { matrix: 'dim', dim: 0 } },
  ],
});

describeEntryGolden(grassmannian as Entry, {
  isSameMap: () => true,
  options: ({ triv }) => ({ orthogonalMap: triv === 'expm' ? 'matrixExp' : 'cayley' }),
  prepare: prepareBase,
});

describe('grassmannian', () => {
  it('has one number for each dimension of the set of spaces: the first rows of X have no effect', () => {
    const layer = grassmannian(new nn.Linear(2, 5));
    const { original } = parametrizationsOn(layer, 'weight');
    inTidy(() => {
      const before = tf.clone(layer.weight);
      original!.assign(tf.concat([matrices([2, 2]), tf.zeros([3, 2])], 0));
      expect(layer.weight).toBeAllClose(before, { absolute: 1e-6 });
      original!.assign(matrices([5, 2]));
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.mul(layer.weight, matrices([5, 2], 1, 3))),
        [original!],
      );
      expect(tf.slice(grads[original!.name]!, [0, 0], [2, 2])).toBeAllClose(tf.zeros([2, 2]), {
        absolute: 0,
      });
    });
    layer.dispose();
  });

  it('gives a loss of WWᵀ the gradient of orthogonal matrices: none inside of the space', () => {
    const layer = grassmannian(new nn.Linear(2, 4));
    const { original } = parametrizationsOn(layer, 'weight');
    inTidy(() => {
      const target = matrices([4, 4]);
      const loss = (W: tf.Tensor): tf.Scalar =>
        tf.sum(tf.mul(tf.matMul(W as tf.Tensor2D, W as tf.Tensor2D, false, true), target));
      // A rotation of the columns changes nothing.
      const turned = tf.matMul(
        layer.weight as tf.Tensor2D,
        tf.tensor2d([
          [0.6, -0.8],
          [0.8, 0.6],
        ]),
      );
      expect(loss(turned)).toBeAllClose(loss(layer.weight), { absolute: 1e-5 });
      const { grads } = tf.variableGrads(() => loss(layer.weight), [original!]);
      expect(tf.max(tf.abs(grads[original!.name]!)).dataSync()[0]).toBeGreaterThan(0.01);
    });
    layer.dispose();
  });

  it('refuses square matrices, and changes nothing', async () => {
    const layer = new nn.Linear(3, 3);
    expect(() => grassmannian(layer)).toThrow(
      'grassmannian: the matrices of shape [3, 3] are square, 3 × 3, and their columns span the whole space. Use orthogonal, or a weight that is not square.',
    );
    expect(layer.parametrizations).toBeUndefined();
    const identity = tf.eye(3);
    expect(await grassmannian.contains(identity)).toBe(false);
    tf.dispose([layer.weight, layer.bias!, identity]);
  });
});
