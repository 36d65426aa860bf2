import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { wasmHeap } from '../../engine/wasmHeap.ts';
import { simdRoutines } from '../simd/simdRoutines.ts';
import { simdVectors } from '../simd/vectorRoutines.ts';
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
 * Makes the kernels of spectral normalization for the wasm backend. They use SIMD, in place on the heap.
 *
 * @throws Error if the backend is not like the wasm backend of tfjs, or WebAssembly has no SIMD
 */
export function wasmSpectralNorm(backend: KernelBackend): SpectralNormKernels {
  const heap = wasmHeap(backend);
  const vectors = simdVectors(simdRoutines(heap.memory));
  /** Returns the addresses of a tensor. Call this after all memory is allocated. */
  const locate = (tensor: TensorInfo): Located<number> => {
    const location = heap.address(tensor);
    return { location, numbers: new Float32Array(heap.memory.buffer, location, sizeOf(tensor)) };
  };
  const steps = (W: TensorInfo, dim: number) =>
    new MatrixSteps(vectors, matrixLayout(W.shape, dim), locate(W));
  /** Moves tensors of another backend to the heap, before any address is used. */
  const bring = (...tensors: TensorInfo[]) => {
    for (const tensor of tensors) heap.address(tensor);
  };
  return {
    iterate(W, start, dim, how) {
      bring(W, start.left, start.right);
      const [left, right] = [heap.allocate(start.left.shape), heap.allocate(start.right.shape)];
      const count = Math.max(sizeOf(left), sizeOf(right));
      heap.withScratch(4 * count, (location) => {
        locate(left).numbers.set(locate(start.left).numbers);
        locate(right).numbers.set(locate(start.right).numbers);
        const scratch = { location, numbers: new Float32Array(heap.memory.buffer, location, count) };
        steps(W, dim).iterate(locate(left), locate(right), scratch, how);
      });
      return [left, right];
    },
    forward(W, { left, right }, dim) {
      bring(W, left, right);
      const [Y, sigma] = [heap.allocate(W.shape), heap.allocate([ENCODED_SIGMA])];
      const matrix = steps(W, dim);
      const value = matrix.sigma(locate(left), locate(right));
      locate(sigma).numbers.set(encodeSigma(value));
      matrix.divide(value.sigma, heap.address(Y));
      return [Y, sigma];
    },
    backward(dY, W, { left, right }, sigma, dim) {
      bring(dY, W, left, right, sigma);
      const dW = heap.allocate(W.shape);
      const value = decodeSigma(locate(sigma).numbers);
      steps(W, dim).pullBack(heap.address(dY), locate(left), locate(right), value, heap.address(dW));
      return dW;
    },
  };
}

const sizeOf = ({ shape }: TensorInfo): number => tf.util.sizeFromShape(shape);
