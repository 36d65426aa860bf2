import type { TensorInfo } from '@tensorflow/tfjs-core';

/** Weight normalization on one backend; the reference specifies its results. All tensors are float32 and not empty. */
export type WeightNormKernels = NormKeepingKernels | NormlessKernels;

/** The norms of the forward pass, in the shape of g, are kept for the backward pass. */
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

/** The norms are computed again in the backward pass, where this costs less than to write them. */
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
