import type { Tensor } from '@tensorflow/tfjs-core';
import { checkInteger, checkNotNegative, checkOptions } from '../core/checkOptions.ts';
import { ParametrizeError } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';

/** Options of `spectralNorm`. */
export interface SpectralNormOptions {
  /** How many steps of the power iteration each read in training mode makes. Default 1. */
  readonly nPowerIterations?: number;
  /**
   * Products of the iteration that are not longer than this, relative to the largest element of the tensor, leave their
   * vector as it was. Of a tensor that is a vector, the lower bound of the norm that it is divided by. Default 1e-12.
   */
  readonly eps?: number;
  /**
   * The axis whose slices are the rows of the matrix; negative counts from the end. Default 0, on transposed convolutions
   * 1: the axis of the output channels; on layers of tf.layers the (first) axis that numbers their outputs.
   */
  readonly dim?: number;
}

/**
 * Refuses options that make no sense on any tensor.
 *
 * @param caller - the function, for messages
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkSpectralOptions(caller: string, options: SpectralNormOptions): void {
  checkOptions(caller, options, ['nPowerIterations', 'eps', 'dim']);
  const { nPowerIterations = 1, eps = 1e-12, dim = 0 } = options;
  checkInteger(caller, 'nPowerIterations', nPowerIterations);
  checkNotNegative(caller, 'eps', eps);
  checkInteger(caller, 'dim', dim, Number.MIN_SAFE_INTEGER);
}

/**
 * The options with their defaults, checked for a tensor.
 *
 * @param caller - the function, for messages
 * @throws {@link ParametrizeError} `OPTION` if one makes no sense for the tensor, `DTYPE` if that is not float32
 */
export function spectralOptions(
  caller: string,
  options: SpectralNormOptions,
  { shape, rank, dtype }: Tensor,
): Required<SpectralNormOptions> {
  checkSpectralOptions(caller, options);
  const { nPowerIterations = 1, eps = 1e-12, dim = 0 } = options;
  if (dtype !== 'float32') {
    throw new ParametrizeError('DTYPE', `${caller}: expected a float32 tensor, got ${dtype}. Cast it first.`);
  }
  if (dim < -rank || dim >= rank) {
    const range = rank === 0 ? 'a tensor with axes' : `an axis from ${-rank} to ${rank - 1}`;
    throw new ParametrizeError(
      'OPTION',
      `${caller}: dim ${dim} is out of range for shape ${formatShape(shape)}: expected ${range}.`,
    );
  }
  return { nPowerIterations, eps, dim: dim < 0 ? dim + rank : dim };
}
