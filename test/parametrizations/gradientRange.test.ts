import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { nn } from '../../src/index.ts';
import { flatten } from '../toBeAllClose.ts';
import { catalogCases, layerFor } from './catalogCases.ts';

// A unit that nothing activates gets a gradient of exactly zero, and decoupled weight decay takes its weights through all
// the numbers of float32 down to zero.

/** From where squares underflow, past the smallest number with all its digits, 2⁻¹²⁶, to the smallest of all. */
const exponents = [0, -33, -63, -70, -76, -100, -123, -126, -133, -146, -149];

/** The map on weights of this magnitude; a power of two leaves all digits as they are. */
function ofMagnitude(name: string, magnitude: number): nn.Linear {
  // The vectors of spectral norm and the bases of orthogonal maps are drawn.
  nn.manualSeed(3);
  const layer = layerFor(name, 3);
  catalogCases[name]!(layer);
  const list = layer.parametrizations!.weight!;
  const original = list.original ?? list.original1!;
  const numbers = [4, 2, -3, 8, 5, 2, -4, 1, 4];
  const scaled = numbers.slice(0, original.size).map((x) => x * magnitude);
  tf.tidy(() => original.assign(tf.tensor(scaled, original.shape)));
  return layer.eval() as nn.Linear;
}

const gradients = (f: () => tf.Tensor, variables: tf.Variable[]): tf.Tensor[] => {
  const { grads } = tf.engine().gradients(f, variables, undefined, true);
  return variables.map((variable, i) => (grads[i] as tf.Tensor | null) ?? tf.zerosLike(variable));
};

/** The gradient to the original of the weight's shape, of a gradient of the weight with this magnitude. */
const gradientAt = (name: string, magnitude: number, ofWeight: number): number[] => {
  const layer = ofMagnitude(name, magnitude);
  const dW = [1, -2, 0.5, 3, 1, -1, 0.25, 2, -3].map((x) => x * ofWeight);
  const gradient = tf.tidy(() => {
    const loss = () => tf.sum(tf.mul(layer.weight, tf.tensor(dW, [3, 3])));
    return flatten(gradients(loss, layer.parameters()).find(({ size }) => size === 9)!);
  });
  layer.dispose();
  return gradient;
};

describe.each(Object.keys(catalogCases))('%s, of weights down to the smallest number of float32', (name) => {
  it('has zero gradients of first and second order where nothing comes in', () => {
    for (const magnitude of [...exponents.map((exponent) => 2 ** exponent), 0]) {
      const layer = ofMagnitude(name, magnitude);
      const variables = layer.parameters();
      const zero = () => tf.sum(tf.mul(layer.weight, tf.zeros(layer.weight.shape)));
      const sums = (of: () => tf.Tensor) => () => tf.addN(gradients(of, variables).map((x) => tf.sum(x)));
      tf.tidy(() => {
        for (const [i, of] of [zero, sums(zero)].entries()) {
          for (const gradient of gradients(of, variables)) {
            const wanted = Array.from({ length: gradient.size }, () => 0);
            expect(flatten(tf.abs(gradient)), `order ${i + 1} at ${magnitude}`).toEqual(wanted);
          }
        }
      });
      layer.dispose();
    }
  });
});

describe.each(['unitNorm', 'weightNorm', 'spectralNorm'])('%s', (name) => {
  it.each(exponents)(
    'has the gradient of weights of size 1 over 2^%s, at weights of that size',
    (exponent) => {
      const wanted = gradientAt(name, 1, 1);
      // The gradient of the weight is smaller, too, where that of the original would be too large for float32.
      const ofWeight = 2 ** Math.min(0, exponent + 100);
      const scale = 2 ** exponent / ofWeight;
      expect(gradientAt(name, 2 ** exponent, ofWeight).map((x) => x * scale)).toBeAllClose(wanted, {
        absolute: 1e-6,
      });
    },
  );
});

describe.each(['maxNorm', 'orthogonal, matrixExp', 'orthogonal, cayley', 'orthogonal, householder'])(
  '%s',
  (name) => {
    it.each(exponents.slice(1))('has the gradient of zero at weights of the size 2^%s', (exponent) => {
      expect(gradientAt(name, 2 ** exponent, 1)).toBeAllClose(gradientAt(name, 0, 1));
    });
  },
);
