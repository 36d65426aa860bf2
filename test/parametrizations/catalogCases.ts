import * as tf from '@tensorflow/tfjs-core';
import {
  almostOrthogonal,
  aol,
  ball,
  centeredWeightNorm,
  circulant,
  correlation,
  dora,
  doublyStochastic,
  dropConnect,
  equalizedLearningRate,
  fakeQuantize,
  fixedRank,
  grassmannian,
  hurwitz,
  interval,
  invertible,
  kronecker,
  lora,
  loraBias,
  lowRank,
  maxNorm,
  minMaxNorm,
  nn,
  nonNeg,
  type OrthogonalMap,
  ordered,
  orthogonal,
  Parametrization,
  positive,
  positiveDefinite,
  positiveSemidefinite,
  prune,
  simplex,
  skew,
  specialLinear,
  spectralNorm,
  sphere,
  stableDiagonal,
  symmetric,
  toeplitz,
  triangular,
  unitNorm,
  weightNorm,
  weightStandardization,
  zeroMean,
} from '../../src/index.ts';
import * as catalog from '../../src/parametrizations/index.ts';

const orthogonalBy = (orthogonalMap: OrthogonalMap) => (layer: nn.Linear) =>
  orthogonal(layer, 'weight', { orthogonalMap });

/** The maps that have no square matrices. Their layers have a weight of one column less. */
const rectangular = new Set(['grassmannian']);

/** A layer with a weight of n rows for a map of {@link catalogCases}. */
export const layerFor = (name: string, n: number): nn.Linear =>
  new nn.Linear(rectangular.has(name) ? n - 1 : n, n, { bias: false });

/** Every map of the catalog: what registers it on the weight of a layer, `[3, 3]`. What follows a comma says which way. */
export const catalogCases: Readonly<Record<string, (layer: nn.Linear) => unknown>> = {
  almostOrthogonal: (layer) => almostOrthogonal(layer),
  aol: (layer) => aol(layer),
  ball: (layer) => ball(layer),
  centeredWeightNorm: (layer) => centeredWeightNorm(layer),
  circulant: (layer) => circulant(layer),
  correlation: (layer) => correlation(layer),
  dora: (layer) => dora(layer, { rank: 2 }),
  doublyStochastic: (layer) => doublyStochastic(layer, { iterations: 5 }),
  dropConnect: (layer) => dropConnect(layer),
  equalizedLearningRate: (layer) => equalizedLearningRate(layer),
  fakeQuantize: (layer) => fakeQuantize(layer),
  'fakeQuantize, learned': (layer) => fakeQuantize(layer, { bits: 4, learned: true }),
  fixedRank: (layer) => fixedRank(layer, { rank: 2 }),
  grassmannian: (layer) => grassmannian(layer),
  hurwitz: (layer) => hurwitz(layer),
  interval: (layer) => interval(layer, { min: -2, max: 2 }),
  invertible: (layer) => invertible(layer),
  kronecker: (layer) => {
    const [m, n] = layer.weight.shape as [number, number];
    kronecker(layer, {
      shapes: [
        [m, 1],
        [1, n],
      ],
    });
  },
  lora: (layer) => lora(layer, { rank: 2 }),
  loraBias: (layer) => loraBias(layer, 'weight'),
  lowRank: (layer) => lowRank(layer, { rank: 2 }),
  maxNorm: (layer) => maxNorm(layer, 'weight', { maxValue: 1 }),
  minMaxNorm: (layer) => minMaxNorm(layer, 'weight', { minValue: 0.8, maxValue: 1.1, rate: 0.7 }),
  nonNeg: (layer) => nonNeg(layer),
  ordered: (layer) => ordered(layer),
  'orthogonal, matrixExp': orthogonalBy('matrixExp'),
  'orthogonal, cayley': orthogonalBy('cayley'),
  'orthogonal, householder': orthogonalBy('householder'),
  'orthogonal, polar': orthogonalBy('polar'),
  positive: (layer) => positive(layer),
  positiveDefinite: (layer) => positiveDefinite(layer),
  positiveSemidefinite: (layer) => positiveSemidefinite(layer),
  prune: (layer) => prune(layer, { fraction: 0.5 }),
  simplex: (layer) => simplex(layer),
  skew: (layer) => skew(layer),
  specialLinear: (layer) => specialLinear(layer),
  spectralNorm: (layer) => spectralNorm(layer),
  'sphere, exp': (layer) => sphere(layer, { map: 'exp' }),
  'sphere, project': (layer) => sphere(layer),
  stableDiagonal: (layer) => stableDiagonal(layer),
  symmetric: (layer) => symmetric(layer),
  toeplitz: (layer) => toeplitz(layer),
  triangular: (layer) => triangular(layer, { diagonal: 'positive' }),
  unitNorm: (layer) => unitNorm(layer),
  weightNorm: (layer) => weightNorm(layer),
  'weightNorm, log': (layer) => weightNorm(layer, { scale: 'log' }),
  weightStandardization: (layer) => weightStandardization(layer),
  'weightStandardization, gain': (layer) => weightStandardization(layer, { gain: true }),
  zeroMean: (layer) => zeroMean(layer),
};

/** The functions that register the maps of the package: those whose name is the name of a class. */
export const catalogNames: string[] = Object.entries(catalog)
  .filter(([, value]) => typeof value === 'function' && value.prototype instanceof Parametrization)
  .map(([name]) => name[0]!.toLowerCase() + name.slice(1));

/** A layer in evaluation mode, whose weight has norms below, within and above the limits, with the map on it. */
export function parametrizedLayer(name: string): nn.Linear {
  nn.manualSeed(3);
  const layer = layerFor(name, 3);
  tf.tidy(() => {
    const numbers = tf.tensor2d([0.3, 0.6, 1.2, -0.25, -0.5, -0.9, 0.2, 0.55, 1.1], [3, 3]);
    const value = tf.slice(numbers, [0, 0], layer.weight.shape as [number, number]);
    (layer.weight as tf.Variable).assign(value);
    catalogCases[name]!(layer);
    // The right inverse has no negative number.
    if (name === 'nonNeg') layer.parametrizations!.weight!.original!.assign(value);
  });
  return layer.eval() as nn.Linear;
}
