import type { TensorInfo } from '@tensorflow/tfjs-core';

/** The singular vectors of a kernel: u, one number for each row of the matrix, and v. */
interface VectorInfos {
  readonly left: TensorInfo;
  readonly right: TensorInfo;
}

/** The parameters of the power iteration; see `powerIteration`. */
export interface Iteration {
  readonly iterations: number;
  /** Relative to the largest element of the tensor. */
  readonly eps: number;
  readonly first: 'left' | 'right';
}

/**
 * Spectral normalization on one backend; the reference specifies its results. All tensors are float32 and not empty.
 */
export interface SpectralNormKernels {
  /** The vectors after some steps. */
  iterate(
    W: TensorInfo,
    start: VectorInfos,
    dim: number,
    how: Iteration,
  ): [left: TensorInfo, right: TensorInfo];
  /** Y, and σ as the backward pass needs it: its numbers are the backend's own. */
  forward(W: TensorInfo, vectors: VectorInfos, dim: number): [Y: TensorInfo, sigma: TensorInfo];
  /** dW; σ is that of the forward pass. */
  backward(dY: TensorInfo, W: TensorInfo, vectors: VectorInfos, sigma: TensorInfo, dim: number): TensorInfo;
}
