import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { type Grassmannian, grassmannian, nn, parametrizationsOn, updateBase } from '../../src/index.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';
import { prepareBase, thinOriginals } from './geotorchBase.ts';

describeEntryLaws(grassmannian as Entry, {
  checksRoom: true,
  cases: [
    { shape: [4, 3] },
    { shape: [2, 2, 4], options: { orthogonalMap: 'cayley' } },
    { shape: [3, 2, 2], options: { matrix: 'dim', dim: 0 } },
  ],
});

const product = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D);

// GeoTorch has coordinates for the columns of the base after the first k. Ours are in the space itself.
describeEntryGolden(grassmannian as Entry, {
  isSameMap: () => true,
  options: ({ triv }) => ({ orthogonalMap: triv === 'expm' ? 'matrixExp' : 'cayley' }),
  prepare: prepareBase,
  toOriginal: thinOriginals['grassmannian']!,
});

describe('grassmannian', () => {
  it('has one number for each dimension of the set of spaces: the part of X inside of the space has no effect', () => {
    const layer = grassmannian(new nn.Linear(2, 5));
    const { original, 0: map } = parametrizationsOn(layer, 'weight') as unknown as {
      original: tf.Variable;
      0: Grassmannian;
    };
    inTidy(() => {
      const before = tf.clone(layer.weight);
      original.assign(product(map.base, matrices([2, 2])));
      expect(layer.weight).toBeAllClose(before, { absolute: 1e-6 });
      original.assign(matrices([5, 2]));
      const loss = () => tf.sum(tf.mul(layer.weight, matrices([5, 2], 1, 3))) as tf.Scalar;
      const { grads } = tf.variableGrads(loss, [original]);
      const inside = tf.matMul(map.base as unknown as tf.Tensor2D, grads[original.name] as tf.Tensor2D, true);
      expect(inside).toBeAllClose(tf.zeros([2, 2]), { absolute: 1e-6 });
    });
    layer.dispose();
  });

  it('turns a space along the geodesic, by the singular values of the direction', () => {
    const layer = grassmannian(new nn.Linear(2, 5));
    const { original, 0: map } = parametrizationsOn(layer, 'weight') as unknown as {
      original: tf.Variable;
      0: Grassmannian;
    };
    inTidy(() => {
      map.base.assign(tf.eye(5, 2));
      // The first column turns by 0.5 to the third axis, the second by 2 to the fifth.
      original.assign(
        tf.tensor2d([
          [0, 0],
          [0, 0],
          [0.5, 0],
          [0, 0],
          [0, 2],
        ]),
      );
      const [c, s] = [Math.cos(0.5), Math.sin(0.5)];
      expect(layer.weight).toBeAllClose(
        tf.tensor2d([
          [c, 0],
          [0, Math.cos(2)],
          [s, 0],
          [0, 0],
          [0, Math.sin(2)],
        ]),
        { absolute: 1e-6 },
      );
    });
    layer.dispose();
  });

  it('moves its base to the value: the original is zero, and the space and the columns are the same', () => {
    const layer = grassmannian(new nn.Linear(3, 7));
    const { original } = parametrizationsOn(layer, 'weight');
    inTidy(() => {
      original!.assign(matrices([7, 3]));
      const before = tf.clone(layer.weight);
      updateBase(layer);
      expect(original!).toBeAllClose(tf.zeros([7, 3]), { absolute: 0 });
      expect(layer.weight).toBeAllClose(before, { absolute: 1e-6 });
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
