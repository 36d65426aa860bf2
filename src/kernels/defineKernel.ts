import type { NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import {
  registerGradientOnce,
  registerKernelOnce,
  runKernel,
  runRecorded,
} from '../engine/recordedKernel.ts';

/** Returns the fused kernels of a computation for the backend in use, or null if it has none. */
export type KernelsInUse<Kernels> = () => Kernels | null;

/** The definition of a kernel. It is the same for tfjs on every backend; only the computing kernels differ. */
interface KernelDefinition<Kernels, Attributes extends NamedAttrMap> {
  /** The name of the kernel in tfjs's profiler. */
  readonly name: string;
  /** Computes the outputs with the kernels of one backend. */
  compute(
    kernels: Kernels,
    inputs: Readonly<Record<string, TensorInfo>>,
    attributes: Attributes,
  ): TensorInfo[];
  /** The indices of the outputs that the gradient needs in addition to the inputs. */
  readonly savedOutputs?: readonly number[];
  /**
   * Computes the gradient for each input from the gradients of the outputs, the inputs and the saved outputs. A kernel
   * without it cannot be differentiated.
   */
  gradient?(dys: Tensor[], saved: Tensor[], attributes: Attributes): Record<string, () => Tensor>;
}

/** Runs a kernel. Returns null if the caller has to use operations of tfjs instead. */
export type RunKernel<Attributes extends NamedAttrMap> = (
  inputs: Readonly<Record<string, Tensor>>,
  attributes: Attributes,
) => Tensor[] | null;

/**
 * Makes the function that runs a kernel with the kernels of the backend in use and records it in tfjs. The function
 * returns null if the backend has no such kernels, or if nothing can be saved on the tape of this version of tfjs.
 *
 * The kernel and its gradient are registered with tfjs at the first run, once for each backend.
 */
export function defineKernel<Kernels, Attributes extends NamedAttrMap>(
  kernelsInUse: KernelsInUse<Kernels>,
  { name, compute, savedOutputs = [], gradient }: KernelDefinition<Kernels, Attributes>,
): RunKernel<Attributes> {
  const registeredFor = new Set<string>();
  const register = (backendName: string): void => {
    if (registeredFor.has(backendName)) return;
    registeredFor.add(backendName);
    registerKernelOnce({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs }) =>
        compute(kernelsInUse()!, inputs as Record<string, TensorInfo>, attrs as Attributes),
    });
    if (gradient === undefined) return;
    registerGradientOnce(name, (dys, saved, attributes) =>
      // For a kernel with one output, tfjs passes the gradient without an array.
      gradient(Array.isArray(dys) ? dys : [dys], saved, attributes as Attributes),
    );
  };
  return (inputs, attributes) => {
    if (kernelsInUse() === null) return null;
    register(tf.getBackend());
    return gradient === undefined
      ? runKernel(name, { ...inputs }, attributes)
      : runRecorded(name, { ...inputs }, attributes, (index) => savedOutputs.includes(index));
  };
}
