import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { alias, countingBackend } from './scope.ts';

/**
 * The data of a tensor, held without a tensor by one more reference in the backend. New tensors on the data can be made
 * at any time.
 *
 * `tf.memory()` counts the data in `numDataBuffers`, but not in `numTensors` and `numBytes`, which count tensors. If
 * the backend does not count references, this object holds a tensor instead.
 */
export class HeldData {
  readonly #like: Tensor;
  readonly #own: Tensor | null;

  /** @param tensor - the tensor with the data; it may be disposed afterwards */
  constructor(tensor: Tensor) {
    const backend = countingBackend(tensor);
    this.#like = tensor;
    this.#own = backend === null ? tf.keep(tf.clone(tensor)) : null;
    backend?.incRef(tensor.dataId);
  }

  /** True until {@link free} is called or the engine is reset: tensors can be made. */
  get isThere(): boolean {
    return this.#own === null ? countingBackend(this.#like) !== null : !this.#own.isDisposed;
  }

  /** Makes a tensor on the data. The innermost tidy owns it, or the caller if no tidy is open. */
  tensor(): Tensor {
    return alias(this.#own ?? this.#like);
  }

  /** Releases the data. Call this once. */
  free(): void {
    if (this.#own !== null) {
      this.#own.dispose();
      return;
    }
    const backend = countingBackend(this.#like);
    if (backend === null) return;
    // tfjs drops the data when its last tensor is disposed. This tensor is the last one.
    const last = alias(this.#like);
    backend.disposeData(this.#like.dataId);
    last.dispose();
  }
}
