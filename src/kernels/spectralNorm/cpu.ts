import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { cpuStorage, type Numbers } from '../../engine/cpuStorage.ts';
import { plainVectors } from '../simd/vectorRoutines.ts';
import type { SpectralNormKernels } from './kernels.ts';
import {
  decodeSigma,
  ENCODED_SIGMA,
  encodeSigma,
  type Located,
  MatrixSteps,
  matrixLayout,
} from './matrixSteps.ts';

/**
 * Makes the kernels of spectral normalization for the cpu backend, in plain JavaScript.
 *
 * @throws Error if the backend is not like the cpu backend of tfjs
 */
export function cpuSpectralNorm(backend: KernelBackend): SpectralNormKernels {
  const { numbers, store } = cpuStorage(backend);
  const onArray = (array: Numbers): Located<Numbers> => ({ location: array, numbers: array });
  const locate = (tensor: TensorInfo) => onArray(numbers(tensor));
  const steps = (W: TensorInfo, dim: number) =>
    new MatrixSteps(plainVectors, matrixLayout(W.shape, dim), locate(W));
  return {
    iterate(W, start, dim, how) {
      const left = Float32Array.from(numbers(start.left));
      const right = Float32Array.from(numbers(start.right));
      const scratch = onArray(new Float32Array(Math.max(left.length, right.length)));
      steps(W, dim).iterate(onArray(left), onArray(right), scratch, how);
      return [store(left, start.left.shape), store(right, start.right.shape)];
    },
    forward(W, { left, right }, dim) {
      const Y = new Float32Array(numbers(W).length);
      const matrix = steps(W, dim);
      const value = matrix.sigma(locate(left), locate(right));
      matrix.divide(value.sigma, Y);
      return [store(Y, W.shape), store(Float32Array.from(encodeSigma(value)), [ENCODED_SIGMA])];
    },
    backward(dY, W, { left, right }, sigma, dim) {
      const dW = new Float32Array(numbers(W).length);
      steps(W, dim).pullBack(numbers(dY), locate(left), locate(right), decodeSigma(numbers(sigma)), dW);
      return store(dW, W.shape);
    },
  };
}
