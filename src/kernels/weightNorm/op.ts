import type { NamedAttrMap, NamedTensorMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { registerGradientOnce, registerKernelOnce, runRecorded } from '../../engine/recordedKernel.ts';
import { weightNormGradient } from './gradient.ts';
import type { NormlessWeightNormKernels, WeightNormKernels } from './kernels.ts';
import { weightNormReference } from './reference.ts';
import { weightNormSecondGradient } from './secondGradient.ts';

/** The names under which tfjs's profiler shows the two kernels. */
const FORWARD = 'tfjs-parametrize/WeightNorm';
const BACKWARD = 'tfjs-parametrize/WeightNormGradient';

/** The fused kernels of the backend in use, or null where there are none. */
type KernelsInUse = () => WeightNormKernels | NormlessWeightNormKernels | null;

/** What the kernels get besides tensors. */
interface Attributes extends NamedAttrMap {
  axes: number[];
  eps: number;
}

/**
 * Weight normalization as one operation with one gradient: `W = g · v / max(‖v‖, eps)`.
 *
 * **Shape**: `v`: S; `g`: S with every axis of `axes` set to 1, or a scalar if `axes` are all; W: S.
 * **Gradient**: in closed form, to g and v; differentiable again. Zero, like W, where v is zero.
 *
 * @param axes - the axes that a norm runs over
 */
export function weightNormWith(
  kernelsInUse: KernelsInUse,
  g: Tensor,
  v: Tensor,
  axes: readonly number[],
  eps: number,
): Tensor {
  if (canBeFused(g, v, axes) && kernelsInUse() !== null) {
    register(tf.getBackend(), kernelsInUse);
    const outputs = runRecorded(FORWARD, { g, v }, { axes: [...axes], eps }, (i) => i === 1);
    if (outputs !== null) {
      outputs[1]?.dispose();
      return outputs[0]!;
    }
  }
  return composed(g, v, axes, eps);
}

/** True for what the kernels take; the reference also takes other dtypes, a g that is broadcast, and nothing at all. */
function canBeFused(g: Tensor, v: Tensor, axes: readonly number[]): boolean {
  const norms = v.shape.reduce((count, size, axis) => (axes.includes(axis) ? count : count * size), 1);
  return g.dtype === 'float32' && v.dtype === 'float32' && v.size > 0 && g.size === norms;
}

/** The backends that the kernels are registered for. */
const registeredFor = new Set<string>();

function register(backendName: string, kernelsInUse: KernelsInUse): void {
  if (registeredFor.has(backendName)) return;
  registeredFor.add(backendName);
  registerKernelOnce({
    kernelName: FORWARD,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { axes, eps } = attrs as Attributes;
      const { g, v } = inputs as Record<'g' | 'v', TensorInfo>;
      return kernelsInUse()!.forward(g, v, axes, eps);
    },
  });
  registerKernelOnce({
    kernelName: BACKWARD,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { axes, eps } = attrs as Attributes;
      const { dW, g, v, norms } = inputs as Record<'dW' | 'g' | 'v' | 'norms', TensorInfo>;
      const kernels = kernelsInUse()!;
      return kernels.keepsNorms === false
        ? kernels.backward(dW, g, v, axes, eps)
        : kernels.backward(dW, g, v, norms, axes, eps);
    },
  });
  registerGradientOnce(FORWARD, (dys, saved, attributes) => {
    // Of one output, tfjs hands over the gradient alone.
    const dW = Array.isArray(dys) ? dys[0]! : dys;
    const [g, v, norms] = saved as [Tensor, Tensor, Tensor?];
    const { axes, eps } = attributes as Attributes;
    // It may be another backend than that of the forward pass.
    const inputs = inputsOfBackward(kernelsInUse(), { dW, g, v }, norms);
    if (inputs !== null) {
      register(tf.getBackend(), kernelsInUse);
      const [dg, dv] = runRecorded(BACKWARD, inputs, attributes, () => false) ?? [];
      if (dg !== undefined && dv !== undefined) return { g: () => dg, v: () => dv };
    }
    const gradient = weightNormGradient(dW, g, v, axes, eps);
    return { g: () => gradient.dg, v: () => gradient.dv };
  });
  registerGradientOnce(BACKWARD, (dys, saved, attributes) => {
    const [ddg, ddv] = dys as [Tensor, Tensor];
    const [dW, g, v, norms] = saved as [Tensor, Tensor, Tensor, Tensor?];
    const { axes, eps } = attributes as Attributes;
    const gradient = weightNormSecondGradient(ddg, ddv, dW, g, v, axes, eps);
    return {
      dW: () => gradient.dW,
      g: () => gradient.g,
      v: () => gradient.v,
      // They are a function of v, and the gradient to v takes that into account.
      ...(norms === undefined ? {} : { norms: () => tf.zerosLike(norms) }),
    };
  });
}

/** What the kernel of the backward pass takes; null where there is none, or the norms that it needs are not known. */
function inputsOfBackward(
  kernels: ReturnType<KernelsInUse>,
  inputs: NamedTensorMap,
  norms: Tensor | undefined,
): NamedTensorMap | null {
  if (kernels === null) return null;
  if (kernels.keepsNorms === false) return inputs;
  return norms === undefined ? null : { ...inputs, norms };
}

/** The operation in tfjs operations: where no kernel is, and where the tape cannot be told what to save. */
function composed(g: Tensor, v: Tensor, axes: readonly number[], eps: number): Tensor {
  const op = tf.customGrad((...args) => {
    const [magnitude, direction, save] = args as [Tensor, Tensor, (tensors: Tensor[]) => void];
    save([magnitude, direction]);
    return {
      value: weightNormReference(magnitude, direction, axes, eps),
      gradFunc: (dW: Tensor, saved: Tensor[]) => {
        const { dg, dv } = weightNormGradient(dW, saved[0]!, saved[1]!, axes, eps);
        return [dg, dv];
      },
    };
  });
  return op(g, v);
}
