import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { nn, positiveSemidefinite, removeParametrizations } from '../../src/index.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(positiveSemidefinite as Entry, {
  cases: [
    { shape: [4, 4], options: { rank: 2 } },
    { shape: [2, 3, 3] },
    { shape: [5, 5], options: { rank: 1 } },
    { shape: [1, 1] },
  ],
});

describeEntryGolden(positiveSemidefinite as Entry, {
  nearest: 1e-5,
  options: ({ rank }) => ({ rank }),
});

it('positiveSemidefinite refuses a rank above the size, and weights that are not square', () => {
  const layers = [new nn.Linear(3, 3), new nn.Linear(2, 3)] as const;
  expect(() => positiveSemidefinite(layers[0], { rank: 4 })).toThrow(
    'positiveSemidefinite: rank 4 is above the size of the matrices of shape [3, 3]. Pass a rank of at most 3.',
  );
  expect(() => positiveSemidefinite(layers[1])).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  for (const layer of layers) {
    expect(layer.parametrizations).toBeUndefined();
    layer.dispose();
  }
});

it('positiveSemidefinite of a lower rank is near the nearest matrix: it keeps the largest eigenvalues', () => {
  // The largest element of the diagonal does not belong to the largest eigenvalue.
  const A = tf.tidy(() =>
    tf.tensor2d([
      [3, 0, 0, 0],
      [0, 2, 1.9, 1.9],
      [0, 1.9, 2, 1.9],
      [0, 1.9, 1.9, 2],
    ]),
  );
  const host = { weight: tf.tidy(() => tf.variable(tf.clone(A))) as tf.Tensor };
  positiveSemidefinite(host, 'weight', { rank: 1 });
  tf.tidy(() => {
    // The eigenvalue 5.8 of the lower block.
    const nearest = tf.mul(tf.outerProduct([0, 1, 1, 1], [0, 1, 1, 1]), 5.8 / 3);
    expect(host.weight).toBeAllClose(nearest, { absolute: 0.05 });
  });
  removeParametrizations(host, 'weight');
  tf.dispose([A, host.weight]);
});
