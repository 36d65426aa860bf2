import type { KernelFunc, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { registerKernelOnce } from '../../engine/recordedKernel.ts';
import {
  conv2DBackpropFilter,
  depthwiseConv2dNativeBackpropFilter,
  depthwiseConv2dNativeBackpropInput,
} from './convolutionGradients.ts';
import { unsortedSegmentSum } from './unsortedSegmentSum.ts';

/** The kernels of gradients that the wasm backend of tfjs lacks, by their names. */
const missing: Readonly<Record<string, (inputs: never, attributes: never) => Tensor>> = {
  Conv2DBackpropFilter: conv2DBackpropFilter,
  DepthwiseConv2dNativeBackpropFilter: depthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput: depthwiseConv2dNativeBackpropInput,
  UnsortedSegmentSum: unsortedSegmentSum,
};

/**
 * Registers the kernels that the wasm backend of tfjs lacks, so that convolutions and embeddings of tf.layers train on
 * it. A kernel that is there stays.
 */
export function registerMissingKernels(): void {
  for (const [kernelName, compute] of Object.entries(missing)) {
    registerKernelOnce({
      kernelName,
      backendName: 'wasm',
      kernelFunc: (({ inputs, attrs }: { inputs: Record<string, Tensor>; attrs?: NamedAttrMap }) =>
        tf.tidy(() => compute(inputs as never, attrs as never))) as unknown as KernelFunc,
    });
  }
}
