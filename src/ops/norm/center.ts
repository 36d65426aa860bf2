import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** Returns `x − mean(x)`, with the mean over some axes. It can be differentiated any number of times. */
export const center = (x: Tensor, axes: readonly number[]): Tensor => tf.sub(x, tf.mean(x, [...axes], true));
