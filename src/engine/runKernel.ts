import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** Runs a kernel that has several outputs and no gradient. */
export const runKernel = (name: string, inputs: NamedTensorMap, attributes: NamedAttrMap): Tensor[] =>
  tf.engine().runKernel<Tensor[]>(name, inputs, attributes);
