import * as tf from '@tensorflow/tfjs-core';

/** True if any backend is registered; without one tfjs can compute nothing. */
export const hasBackend = (): boolean => Object.keys(tf.engine().registryFactory).length > 0;
