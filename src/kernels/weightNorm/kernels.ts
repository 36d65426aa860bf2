import type { TensorInfo } from '@tensorflow/tfjs-core';

/** Weight normalization on one backend; see the reference for what it computes. All tensors are float32 and not empty. */
export interface WeightNormKernels {
  /** W, and the norms in the shape of g. */
  forward(g: TensorInfo, v: TensorInfo, axes: readonly number[], eps: number): [TensorInfo, TensorInfo];
  /** dg and dv; the norms are those of the forward pass. */
  backward(
    dW: TensorInfo,
    g: TensorInfo,
    v: TensorInfo,
    norms: TensorInfo,
    axes: readonly number[],
    eps: number,
  ): [TensorInfo, TensorInfo];
}
