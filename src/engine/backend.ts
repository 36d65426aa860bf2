import * as tf from '@tensorflow/tfjs-core';

/** True if any backend is registered; without one tfjs can compute nothing. */
export const hasBackend = (): boolean => Object.keys(tf.engine().registryFactory).length > 0;

/**
 * True if the wasm backend of tfjs is in use, whose kernels have peculiarities that cost time, or damage its memory. On
 * any other backend, operations are called as they are meant.
 */
export const isWasm = (): boolean => tf.getBackend() === 'wasm';
