import * as tf from '@tensorflow/tfjs-core';
import {
  isParametrized,
  MaxNorm,
  MinMaxNorm,
  NonNeg,
  Orthogonal,
  parametrizationsOn,
  Skew,
  SpectralNorm,
  Symmetric,
  UnitNorm,
  valueOf,
  WeightNorm,
} from '../../../src/index.ts';
import { numbersOf, type ReferenceStep, type ReferenceTensor, spectralStep, steps } from './reference.ts';

/** A tensor of a host by its name. */
export interface Place {
  readonly host: object;
  readonly name: string;
}

/** The variable of a tensor that is not parametrized: a layer has it in a `LayerVariable`. */
const variableAt = ({ host, name }: Place): tf.Variable => valueOf(host, name as never) as tf.Variable;

/** The tensor and, if it is parametrized, what is below it. */
export function placesBelow(place: Place): Place[] {
  return [place, ...originalsOf(place).flatMap(placesBelow)];
}

/** The originals of a parametrized tensor; none of another. */
export function originalsOf({ host, name }: Place): Place[] {
  if (!isParametrized(host, name)) return [];
  const list = parametrizationsOn(host, name);
  const names = ['original', 'original0', 'original1'].filter((key) => key in list);
  return names.map((key) => ({ host: list, name: key }));
}

/** The variables below a tensor, in order. */
export const variablesBelow = (place: Place): tf.Variable[] =>
  isParametrized(place.host, place.name) ? originalsOf(place).flatMap(variablesBelow) : [variableAt(place)];

/**
 * The reference of a tensor as it stands now: its structure, the numbers of its variables, and the state of its maps. What
 * the numbers become from then on, and every value and gradient, the reference computes alone.
 */
export function mirrorOf(place: Place): ReferenceTensor {
  const originals = originalsOf(place);
  if (originals.length === 0) {
    const variable = variableAt(place);
    const copy = tf.tidy(() =>
      tf.variable(tf.tensor(numbersOf(variable), variable.shape), variable.trainable),
    );
    return { variable: copy, originals: [], steps: [] };
  }
  const list = parametrizationsOn(place.host, place.name);
  return { variable: null, originals: originals.map(mirrorOf), steps: [...list].map(stepOf) };
}

/** The reference of a step, with its state as it is now. */
export function stepOf(map: unknown): ReferenceStep {
  if (map instanceof WeightNorm) return steps.weightNorm(map.dim[0] === 1 ? 0 : 1);
  if (map instanceof UnitNorm) return steps.unitNorm();
  if (map instanceof MaxNorm) return steps.limited(0, map.maxValue);
  if (map instanceof MinMaxNorm) return steps.limited(map.minValue, map.maxValue);
  if (map instanceof NonNeg) return steps.nonNeg();
  if (map instanceof Skew) return steps.skew();
  if (map instanceof Symmetric) return steps.symmetric();
  if (map instanceof SpectralNorm) return spectralStep(map._u!, map._v!);
  if (map instanceof Orthogonal) {
    return steps.orthogonal(
      map.orthogonalMap as 'matrixExp' | 'cayley' | 'householder',
      tf.tensor2d(numbersOf(map.base!), [3, 3]),
    );
  }
  throw new Error(`no reference of ${String(map)}`);
}

/** Frees a reference. */
export function disposeMirror({ variable, originals, steps }: ReferenceTensor): void {
  variable?.dispose();
  originals.forEach(disposeMirror);
  for (const step of steps) step.dispose?.();
}
