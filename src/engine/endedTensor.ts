import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * Disposes a tensor that a caller may still hold. A later use throws an error that says whose it was.
 *
 * tfjs says "Tensor is disposed", or fails inside a kernel, because the data of the tensor is gone. Every use asks the
 * tensor for its `dataId` first.
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
