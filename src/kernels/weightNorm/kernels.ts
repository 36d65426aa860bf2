import type { TensorInfo } from '@tensorflow/tfjs-core';

/** Weight normalization on one backend; the reference specifies its results. All tensors are float32 and not empty. */
export type WeightNormKernels = NormKeepingKernels | NormlessKernels;

/** Kernels that keep the norms of the forward pass, in the shape of g, for the backward pass. */
export interface NormKeepingKernels {
  readonly keepsNorms: true;
  forward(
    g: TensorInfo,
    v: TensorInfo,
    axes: readonly number[],
    eps: number,
  ): [W: TensorInfo, norms: TensorInfo];
  backward(
    dW: TensorInfo,
    g: TensorInfo,
    v: TensorInfo,
    norms: TensorInfo,
    axes: readonly number[],
    eps: number,
  ): [dg: TensorInfo, dv: TensorInfo];
}

/** Kernels that compute the norms again in the backward pass, because writing them costs more. */
export interface NormlessKernels {
  readonly keepsNorms: false;
  forward(g: TensorInfo, v: TensorInfo, axes: readonly number[], eps: number): [W: TensorInfo];
  backward(
    dW: TensorInfo,
    g: TensorInfo,
    v: TensorInfo,
    axes: readonly number[],
    eps: number,
  ): [dg: TensorInfo, dv: TensorInfo];
}
