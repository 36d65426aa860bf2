import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { inGradient } from '../../engine/tape.ts';
import { norm } from '../../ops/norm/norm.ts';
import { defineKernel, type KernelsInUse } from '../defineKernel.ts';
import type { WeightNormKernels } from './kernels.ts';

/** The arguments of the kernel other than tensors. */
interface Attributes extends NamedAttrMap {
  axes: number[];
}

/** See {@link defineNorm}. */
export type NormOp = (x: Tensor, axes: readonly number[]) => Tensor;

/**
 * Makes `‖x‖` over some axes, as `norm` of `ops/norm`, as one kernel where the kernels of weight normalization keep
 * norms.
 *
 * **Shape**: `x`: S. Result: S with every axis of `axes` set to 1.
 * **Gradient**: that of `norm`, which computes inside of gradients.
 */
export function defineNorm(kernelsInUse: KernelsInUse<WeightNormKernels>): NormOp {
  const run = defineKernel<WeightNormKernels, Attributes>(kernelsInUse, {
    name: 'tfjs-parametrize/Norm',
    compute: (kernels, { ones, x }, { axes }) => kernels.forward(ones!, x!, axes, 0),
  });
  return (x, axes) => {
    const isFused = kernelsInUse()?.keepsNorms === true && !inGradient();
    if (!isFused || x.dtype !== 'float32' || x.size === 0) return norm(x, axes);
    const ones = tf.ones(x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)));
    const [unit, norms] = run({ ones, x }, { axes: [...axes] })!;
    tf.dispose([ones, unit!]);
    return norms!;
  };
}
