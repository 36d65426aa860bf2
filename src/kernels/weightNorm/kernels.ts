import type { TensorInfo } from '@tensorflow/tfjs-core';

/**
 * Weight normalization on one backend; see the reference for what it computes. All tensors are float32 and not empty.
 *
 * The norms of the forward pass, in the shape of g, are kept for the backward pass.
 */
export interface WeightNormKernels {
  readonly keepsNorms?: true;
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

/** The same where to write the norms as well costs more than to compute them again. */
export interface NormlessWeightNormKernels {
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
