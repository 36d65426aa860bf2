import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orthogonalMaps } from '../../../src/parametrizations/orthogonalMaps/orthogonalMaps.ts';
import { haar } from '../../../src/parametrizations/orthogonalMaps/orthogonalSamples.ts';
import { thinFactor } from '../../../src/parametrizations/orthogonalMaps/thinBase.ts';
import { matrices } from '../../ops/matrix/matrixCases.ts';
import { inTidy } from '../../parametrize/fixtures.ts';

const product = (a: tf.Tensor, b: tf.Tensor, transposesA = false): tf.Tensor =>
  tf.matMul(a as tf.Tensor3D, b as tf.Tensor3D, transposesA);

describe('a thin base', () => {
  it.each(['matrixExp', 'cayley', 'householder'] as const)(
    'gives the values and gradients of %s with the square base that begins with it',
    (name) => {
      const map = orthogonalMaps[name];
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 1, max: 4 }),
          fc.double({ min: 0.01, max: 5, noNaN: true }),
          (k, more, size) =>
            inTidy(() => {
              const n = k + more;
              const whole = haar([2, n, n]);
              const base = tf.variable(tf.slice(whole, [0, 0, 0], [2, n, k]));
              // Coordinates of the square base, and the same in those of the rows.
              const X = matrices([2, n, k], size);
              const dW = matrices([2, n, k], 1, 7);
              const [wanted, gradient] = withGradient((X) => product(whole, map(X)), X, dW);
              const [found, thin] = withGradient((X) => thinFactor(map, base, X), product(whole, X), dW);
              expect(found).toBeAllClose(wanted, { absolute: 5e-6 });
              expect(product(whole, thin, true)).toBeAllClose(gradient, { absolute: 5e-5 });
              base.dispose();
            }),
        ),
        { numRuns: 20 },
      );
    },
  );

  it('keeps orthonormal columns where X is large inside of the space', () =>
    inTidy(() => {
      const base = tf.variable(haar([1, 6, 2]));
      const X = tf.add(tf.mul(base, 1e6), matrices([1, 6, 2]));
      const W = thinFactor(orthogonalMaps.cayley, base, X, false);
      expect(product(W, W, true)).toBeAllClose(tf.expandDims(tf.eye(2)), { absolute: 1e-6 });
      const part = tf.sub(X, product(base, product(base, X, true)));
      expect(tf.max(tf.abs(part)).dataSync()[0]).toBeGreaterThan(0.01);
      base.dispose();
    }));
});

/** Returns the value of a map, and the gradient of its product with dW. */
function withGradient(map: (X: tf.Tensor) => tf.Tensor, X: tf.Tensor, dW: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const { value, grad } = tf.valueAndGrad((X) => tf.sum(tf.mul(map(X), dW)))(X) as never as {
    value: tf.Tensor;
    grad: tf.Tensor;
  };
  value.dispose();
  return [map(X), grad];
}
