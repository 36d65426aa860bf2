import * as tf from '@tensorflow/tfjs-core';
import {
  isParametrized,
  MaxNorm,
  MinMaxNorm,
  maxNorm,
  minMaxNorm,
  NonNeg,
  nn,
  nonNeg,
  Orthogonal,
  orthogonal,
  type Parametrization,
  parametrizationsOn,
  Skew,
  Symmetric,
  skew,
  spectralNorm,
  symmetric,
  UnitNorm,
  unitNorm,
  valueOf,
  WeightNorm,
  weightNorm,
} from '../../../src/index.ts';
import type { MapName } from './instructions.ts';
import type { Place } from './mirror.ts';

/** Registers a map of a program on a tensor. */
export function register({ host, name }: Place, map: MapName, limit: number): void {
  const module = host as nn.Linear;
  const at = name as 'weight';
  nn.manualSeed(Math.floor(limit * 1e6));
  if (map === 'weightNorm') weightNorm(module, at);
  else if (map === 'unitNorm') unitNorm(module, at);
  else if (map === 'maxNorm') maxNorm(module, at, { maxValue: limit });
  else if (map === 'minMaxNorm') minMaxNorm(module, at, { minValue: limit / 2, maxValue: limit });
  else if (map === 'nonNeg') nonNeg(module, at);
  else if (map === 'spectralNorm') spectralNorm(module, at);
  else if (map === 'skew') skew(module, at);
  else if (map === 'symmetric') symmetric(module, at);
  else orthogonal(module, at, { orthogonalMap: map === 'orthogonal, cayley' ? 'cayley' : 'matrixExp' });
}

/** The map that {@link register} registers; null for one that needs the value of the tensor. */
export function mapOf(
  { map, limit }: { readonly map: MapName; readonly limit: number },
  place: Place,
): Parametrization | null {
  nn.manualSeed(Math.floor(limit * 1e6));
  if (map === 'weightNorm') return new WeightNorm();
  if (map === 'unitNorm') return new UnitNorm();
  if (map === 'maxNorm') return new MaxNorm({ maxValue: limit });
  if (map === 'minMaxNorm') return new MinMaxNorm({ minValue: limit / 2, maxValue: limit });
  if (map === 'nonNeg') return new NonNeg();
  if (map === 'skew') return new Skew();
  if (map === 'symmetric') return new Symmetric();
  if (map === 'spectralNorm') return null;
  const { host, name } = place;
  const value = isParametrized(host, name)
    ? parametrizationsOn(host, name).inspect()
    : tf.clone(valueOf(host, name as never) as tf.Tensor);
  const orthogonalMap = map === 'orthogonal, cayley' ? 'cayley' : 'matrixExp';
  const made = new Orthogonal(value, { orthogonalMap });
  value.dispose();
  return made;
}
