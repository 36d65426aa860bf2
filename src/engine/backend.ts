import * as tf from '@tensorflow/tfjs-core';

/** True if any backend is registered. Without a backend, tfjs cannot compute. */
export const hasBackend = (): boolean => Object.keys(tf.engine().registryFactory).length > 0;

/**
 * True if the wasm backend of tfjs is in use. Some of its kernels are slow or damage its memory, and callers avoid
 * those. On other backends, callers use the plain operations.
 */
export const isWasm = (): boolean => tf.getBackend() === 'wasm';
