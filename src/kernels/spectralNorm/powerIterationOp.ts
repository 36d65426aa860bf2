import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import { asMatrix, powerIteration, type SingularVectors } from '../../ops/matrix/powerIteration.ts';
import { scaleToOne } from '../../ops/norm/scaleToOne.ts';
import { defineKernel, type KernelsInUse } from '../defineKernel.ts';
import { canBeFused } from './canBeFused.ts';
import type { Iteration, SpectralNormKernels } from './kernels.ts';

/** See {@link definePowerIteration}. */
export type PowerIterationOp = (
  W: Tensor,
  dim: number,
  start: SingularVectors,
  how: Iteration,
) => SingularVectors;

/**
 * Makes the power iteration for the matrix whose rows are the slices of W along `dim`; see `powerIteration`. It has no
 * gradient. `eps` is relative to the largest element of W.
 */
export function definePowerIteration(kernelsInUse: KernelsInUse<SpectralNormKernels>): PowerIterationOp {
  const iterate = defineKernel<SpectralNormKernels, NamedAttrMap & Iteration & { dim: number }>(
    kernelsInUse,
    {
      name: 'tfjs-parametrize/PowerIteration',
      compute: (kernels, { W, left, right }, { dim, ...how }) =>
        kernels.iterate(W!, { left: left!, right: right! }, dim, how),
    },
  );
  return (W, dim, start, how) => {
    const outputs = canBeFused(W) ? iterate({ W, ...start }, { dim, ...how }) : null;
    if (outputs !== null) return { left: outputs[0]!, right: outputs[1]! };
    return powerIteration(asMatrix(scaleToOne(W), dim), start, how.iterations, how.eps, how.first);
  };
}
