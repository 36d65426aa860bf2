import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { alias, countingBackend } from './scope.ts';

/**
 * The data of a tensor, held without a tensor: one more count in the backend, from which tensors can be made at any
 * time.
 *
 * `tf.memory()` shows it in `numDataBuffers`, not in `numTensors` and `numBytes`, which count tensors. If the backend
 * does not count references, this object holds a tensor.
 */
export class HeldData {
  readonly #like: Tensor;
  readonly #own: Tensor | null;

  /** @param tensor - whose data are held; it may be disposed afterwards */
  constructor(tensor: Tensor) {
    const backend = countingBackend(tensor);
    this.#like = tensor;
    this.#own = backend === null ? tf.keep(tf.clone(tensor)) : null;
    backend?.incRef(tensor.dataId);
  }

  /** True while tensors can be made: until {@link free}, or until the engine is reset. */
  get isThere(): boolean {
    return this.#own === null ? countingBackend(this.#like) !== null : !this.#own.isDisposed;
  }

  /** A tensor with these data, of the innermost tidy or else of the caller. */
  tensor(): Tensor {
    return alias(this.#own ?? this.#like);
  }

  /** Holds the data no longer; to be called once. */
  free(): void {
    if (this.#own !== null) {
      this.#own.dispose();
      return;
    }
    const backend = countingBackend(this.#like);
    if (backend === null) return;
    // The engine forgets data when the last tensor on them goes; this is to be that tensor.
    const last = alias(this.#like);
    backend.disposeData(this.#like.dataId);
    last.dispose();
  }
}
