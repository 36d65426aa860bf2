import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * Disposes a tensor that a caller may still hold. A later use throws an error that names the owner of the tensor.
 *
 * Without this, tfjs says "Tensor is disposed" or fails inside a kernel. Every use reads the `dataId` of the tensor
 * first, so the error is thrown there.
 *
 * @param error - makes the error of a later use
 */
export function endTensor(tensor: Tensor, error: () => Error): void {
  if (tensor.isDisposed) return;
  tensor.dispose();
  const refuse = (): never => {
    throw error();
  };
  Object.defineProperty(tensor, 'dataId', { get: refuse, enumerable: false, configurable: true });
  Object.defineProperty(tensor, 'throwIfDisposed', { value: refuse, configurable: true });
}
