import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { wasmHeap } from '../../engine/wasmHeap.ts';
import { simdRoutines } from '../weightNorm/simd.ts';
import type { SpectralNormKernels } from './kernels.ts';
import { MatrixSteps, matrixLayout, type Placed, restored, STORED, stored } from './matrixSteps.ts';
import { simdVectors } from './vectorRoutines.ts';

/**
 * Spectral normalization on the wasm backend: on the tensors where they are, with the routines of weight normalization.
 *
 * @throws Error if the backend is not as that of tfjs, or WebAssembly has no SIMD
 */
export function wasmSpectralNorm(backend: KernelBackend): SpectralNormKernels {
  const heap = wasmHeap(backend);
  const vectors = simdVectors(simdRoutines(heap.memory));
  /** Where tensors are; to be asked for when no more memory is. */
  const placed = (tensor: TensorInfo): Placed<number> => {
    const place = heap.address(tensor);
    return { place, numbers: new Float32Array(heap.memory.buffer, place, sizeOf(tensor)) };
  };
  const steps = (W: TensorInfo, dim: number) =>
    new MatrixSteps(vectors, matrixLayout(W.shape, dim), placed(W));
  /** Has tensors of another backend brought to the heap, before anything depends on where its memory is. */
  const bring = (...tensors: TensorInfo[]) => {
    for (const tensor of tensors) heap.address(tensor);
  };
  return {
    iterate(W, start, dim, how) {
      bring(W, start.left, start.right);
      const [left, right] = [heap.allocate(start.left.shape), heap.allocate(start.right.shape)];
      const count = Math.max(sizeOf(left), sizeOf(right));
      heap.withScratch(4 * count, (place) => {
        placed(left).numbers.set(placed(start.left).numbers);
        placed(right).numbers.set(placed(start.right).numbers);
        const scratch = { place, numbers: new Float32Array(heap.memory.buffer, place, count) };
        steps(W, dim).iterate(placed(left), placed(right), scratch, how);
      });
      return [left, right];
    },
    forward(W, { left, right }, dim) {
      bring(W, left, right);
      const [Y, sigma] = [heap.allocate(W.shape), heap.allocate([STORED])];
      const matrix = steps(W, dim);
      const value = matrix.sigma(placed(left), placed(right));
      placed(sigma).numbers.set(stored(value));
      matrix.divide(value.sigma, heap.address(Y));
      return [Y, sigma];
    },
    backward(dY, W, { left, right }, sigma, dim) {
      bring(dY, W, left, right, sigma);
      const dW = heap.allocate(W.shape);
      const value = restored(placed(sigma).numbers);
      steps(W, dim).pullBack(heap.address(dY), placed(left), placed(right), value, heap.address(dW));
      return dW;
    },
  };
}

const sizeOf = ({ shape }: TensorInfo): number => shape.reduce((a, b) => a * b, 1);
