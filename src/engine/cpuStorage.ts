import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** Numbers as the cpu backend stores them. A float32 tensor that was cast from int32 still has an `Int32Array`. */
export type Numbers = Float32Array | Int32Array | Uint8Array;

/** The storage of the numbers of tensors in the cpu backend of tfjs. */
export interface CpuStorage {
  /** Returns the numbers of a tensor without copying them. */
  numbers(tensor: TensorInfo): Numbers;
  /** Makes a new float32 tensor on these numbers. */
  store(numbers: Float32Array, shape: number[]): TensorInfo;
}

/** The part of tfjs's `MathBackendCPU` that this file relies on. */
interface CpuBackend extends KernelBackend {
  readonly data?: { get(dataId: object): { readonly values?: unknown } };
  makeTensorInfo?(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
}

/**
 * Returns the storage of a cpu backend.
 *
 * @throws Error if the backend does not store numbers as the cpu backend of tfjs does
 */
export function cpuStorage(backend: CpuBackend): CpuStorage {
  const { data } = backend;
  if (typeof data?.get !== 'function' || typeof backend.makeTensorInfo !== 'function') {
    throw new Error('the backend has no data and no makeTensorInfo');
  }
  const storage: CpuStorage = {
    numbers: ({ dataId }) => data.get(dataId).values as Numbers,
    store: (numbers, shape) => backend.makeTensorInfo!(shape, 'float32', numbers),
  };
  const trial = Float32Array.of(1, 2);
  const tensor = storage.store(trial, [2]);
  const isStored = storage.numbers(tensor) === trial;
  backend.disposeData(tensor.dataId);
  if (!isStored) throw new Error('the backend has its numbers somewhere else');
  return storage;
}
