import type { TensorInfo } from '@tensorflow/tfjs-core';

/** The singular vectors of a kernel: u, one number for each row of the matrix, and v. */
interface VectorInfos {
  readonly left: TensorInfo;
  readonly right: TensorInfo;
}

/** The parameters of the power iteration; see `powerIteration`. */
export interface Iteration {
  readonly iterations: number;
  /** The least norm, relative to the largest element of the tensor. */
  readonly eps: number;
  readonly first: 'left' | 'right';
}

/**
 * Spectral normalization on one backend; the reference specifies its results. All tensors are float32 and not empty.
 */
export interface SpectralNormKernels {
  /** Returns the vectors after some steps. */
  iterate(
    W: TensorInfo,
    start: VectorInfos,
    dim: number,
    how: Iteration,
  ): [left: TensorInfo, right: TensorInfo];
  /** Returns Y, and σ in the encoding of this backend for the backward pass. */
  forward(W: TensorInfo, vectors: VectorInfos, dim: number): [Y: TensorInfo, sigma: TensorInfo];
  /** Returns dW; σ comes from the forward pass. */
  backward(dY: TensorInfo, W: TensorInfo, vectors: VectorInfos, sigma: TensorInfo, dim: number): TensorInfo;
}
