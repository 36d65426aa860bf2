import type { NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import {
  registerGradientOnce,
  registerKernelOnce,
  runKernel,
  runRecorded,
} from '../engine/recordedKernel.ts';

/** The fused kernels of a computation for the backend in use; null where there are none. */
export type KernelsInUse<Kernels> = () => Kernels | null;

/** A kernel of a computation: on every backend the same to tfjs, but for the kernels that compute it. */
interface KernelDefinition<Kernels, Attributes extends NamedAttrMap> {
  /** The name under which tfjs's profiler shows the kernel. */
  readonly name: string;
  /** Computes the outputs with the kernels of one backend. */
  compute(
    kernels: Kernels,
    inputs: Readonly<Record<string, TensorInfo>>,
    attributes: Attributes,
  ): TensorInfo[];
  /** The indices of the outputs that the gradient needs besides the inputs. */
  readonly savedOutputs?: readonly number[];
  /**
   * The gradient with respect to each input, from the gradients of the outputs, and from the inputs and saved outputs.
   * A kernel without it cannot be differentiated.
   */
  gradient?(dys: Tensor[], saved: Tensor[], attributes: Attributes): Record<string, () => Tensor>;
}

/** Runs a kernel; null where the caller has to compute with operations of tfjs instead. */
export type RunKernel<Attributes extends NamedAttrMap> = (
  inputs: Readonly<Record<string, Tensor>>,
  attributes: Attributes,
) => Tensor[] | null;

/**
 * Returns the function that runs a kernel with the kernels of the backend in use, and has tfjs record it. It returns
 * null where the backend has no such kernels, and where the tape of this tfjs cannot be told what to save.
 *
 * tfjs is told about the kernel and its gradient when it first runs, once for each backend.
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
