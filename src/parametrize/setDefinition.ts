import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNotNegative } from '../core/checkOptions.ts';
import { refusal } from '../core/errors.ts';
import type { OptionDefinition } from './definition.ts';

/** The numbers of a tensor that were read from the backend. */
export interface ReadTensor {
  /** The elements in row-major order, as float64. All are finite. */
  readonly data: Float64Array;
  /** The shape. */
  readonly shape: readonly number[];
}

/** The set of the values of a map, for {@link defineParametrization}. */
export interface SetDefinition<O extends object, S extends object = object> {
  /**
   * Returns true if a value belongs to the set. It computes in float64 on the process, without tensors. A value of
   * a shape that the map refuses does not belong to the set.
   *
   * @param tolerance - the accepted error, relative to the largest element of a matrix or vector
   */
  contains(value: ReadTensor, options: Required<O>, tolerance: number): boolean;
  /** The options that only {@link sample} takes. Default: none. */
  readonly sampleOptions?: { readonly [K in keyof S]-?: OptionDefinition<Required<S>[K]> };
  /**
   * Draws a value of the set. It runs in a tidy. It follows `nn.manualSeed`.
   *
   * @throws {@link ParametrizeError} `SHAPE` if the set has no value of the shape
   */
  sample(shape: readonly number[], options: Required<O> & Required<S>): Tensor;
}

/** The functions of an entry of the catalog for the set of its values. */
export interface SetFunctions<O extends object, S extends object = object> {
  /**
   * Resolves to true if a value belongs to the set of the map. It reads the value once and computes in float64. A
   * batch belongs to the set if each matrix does. A value with NaN or infinity, and a value of a shape that the map
   * refuses, do not belong to it.
   *
   * @param value - the value; it stays the caller's
   * @param tolerance - the accepted error, relative to the largest element. Default 1e-4.
   * @param options - the options of the map
   * @throws {@link ParametrizeError} `OPTION`, `DISPOSED`
   */
  contains(value: Tensor, tolerance?: number, options?: O): Promise<boolean>;
  /**
   * Draws a random value of the set. It follows `nn.manualSeed`.
   *
   * @param shape - the shape of the value
   * @param options - the options of the map, and those of the distribution, if the map has any
   * @returns a tensor that belongs to the caller
   * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the set has no value of the shape
   */
  sample(shape: readonly number[], options?: O & S): Tensor;
}

/** The accepted error of {@link SetFunctions.contains}. */
const TOLERANCE = 1e-4;

/**
 * Reads a value and returns true if it belongs to a set.
 *
 * @param caller - for messages
 * @throws {@link ParametrizeError} `OPTION` for an invalid tolerance, `DISPOSED`
 */
export async function isInSet<O extends object>(
  caller: string,
  { contains }: Pick<SetDefinition<O>, 'contains'>,
  value: Tensor,
  options: Required<O>,
  tolerance = TOLERANCE,
): Promise<boolean> {
  checkNotNegative(caller, 'tolerance', tolerance);
  if (!(value instanceof tf.Tensor)) throw refusal('OPTION', caller, 'the value is not a tensor');
  if (value.isDisposed)
    throw refusal('DISPOSED', caller, 'the value is disposed', 'Pass a tensor with data.');
  if (value.dtype !== 'float32' && value.dtype !== 'int32') return false;
  const shape = [...value.shape];
  const data = Float64Array.from(await value.data<'float32'>());
  return data.every(Number.isFinite) && contains({ data, shape }, options, tolerance);
}

/**
 * Draws a value of a set.
 *
 * @param caller - for messages
 * @throws {@link ParametrizeError} `SHAPE`
 */
export function sampleOf<O extends object, S extends object>(
  caller: string,
  { sample }: SetDefinition<O, S>,
  shape: readonly number[],
  options: Required<O> & Required<S>,
): Tensor {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw refusal('SHAPE', caller, 'the shape is not a list of sizes', 'Pass integers of at least 0.');
  }
  return tf.tidy(() => sample(shape, options));
}
