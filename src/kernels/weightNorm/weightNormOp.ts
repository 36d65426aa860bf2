import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../core/shapes.ts';
import { defineKernel, type KernelsInUse, type RunKernel } from '../defineKernel.ts';
import { weightNormGradient } from './gradient.ts';
import type { WeightNormKernels } from './kernels.ts';
import { weightNormReference } from './reference.ts';
import { weightNormSecondGradient } from './secondGradient.ts';

/** The arguments of the kernels other than tensors. */
interface Attributes extends NamedAttrMap {
  axes: number[];
  eps: number;
}

/** See {@link defineWeightNorm}. */
export type WeightNormOp = (g: Tensor, v: Tensor, axes: readonly number[], eps: number) => Tensor;

/**
 * Makes weight normalization as one operation with one gradient: `W = g · v / max(‖v‖, eps)`, with norms over `axes`. A
 * backend with kernels runs one kernel forward and one backward.
 *
 * **Shape**: `v`: S; `g`: S with every axis of `axes` set to 1, or a scalar if `axes` are all; W: S.
 * **Gradient**: to g and v, in closed form; it can be differentiated again. It is zero, like W, where v is zero.
 */
export function defineWeightNorm(kernelsInUse: KernelsInUse<WeightNormKernels>): WeightNormOp {
  const backward = defineBackward(kernelsInUse);
  const forward = defineKernel<WeightNormKernels, Attributes>(kernelsInUse, {
    name: 'tfjs-parametrize/WeightNorm',
    compute: (kernels, { g, v }, { axes, eps }) => kernels.forward(g!, v!, axes, eps),
    savedOutputs: [1],
    gradient([dW], saved, attributes) {
      const [g, v, norms] = saved as [Tensor, Tensor, Tensor?];
      const { axes, eps } = attributes;
      const [dg, dv] = backward({ dW: dW!, g, v }, norms, attributes) ?? [];
      if (dg !== undefined && dv !== undefined) return { g: () => dg, v: () => dv };
      const gradient = weightNormGradient(dW!, g, v, axes, eps);
      return { g: () => gradient.dg, v: () => gradient.dv };
    },
  });
  return (g, v, axes, eps) => {
    const outputs = canBeFused(g, v, axes) ? forward({ g, v }, { axes: [...axes], eps }) : null;
    if (outputs === null) return composed(g, v, axes, eps);
    outputs[1]?.dispose();
    return outputs[0]!;
  };
}

/**
 * True for tensors that the kernels take. The reference also takes other dtypes, a g that is broadcast, and empty
 * tensors.
 */
function canBeFused(g: Tensor, v: Tensor, axes: readonly number[]): boolean {
  const shape = v.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const norms = sizeOf(shape);
  const isOfNorms = norms === 1 ? g.size === 1 : tf.util.arraysEqual(g.shape, shape);
  return g.dtype === 'float32' && v.dtype === 'float32' && v.size > 0 && isOfNorms;
}

type Backward = (
  inputs: { dW: Tensor; g: Tensor; v: Tensor },
  norms: Tensor | undefined,
  attributes: Attributes,
) => Tensor[] | null;

function defineBackward(kernelsInUse: KernelsInUse<WeightNormKernels>): Backward {
  const run: RunKernel<Attributes> = defineKernel(kernelsInUse, {
    name: 'tfjs-parametrize/WeightNormGradient',
    compute: (kernels, { dW, g, v, norms }, { axes, eps }) =>
      kernels.keepsNorms
        ? kernels.backward(dW!, g!, v!, norms!, axes, eps)
        : kernels.backward(dW!, g!, v!, axes, eps),
    gradient([ddg, ddv], saved, { axes, eps }) {
      const [dW, g, v, norms] = saved as [Tensor, Tensor, Tensor, Tensor?];
      const gradient = weightNormSecondGradient(ddg!, ddv!, dW, g, v, axes, eps);
      return {
        dW: () => gradient.dW,
        g: () => gradient.g,
        v: () => gradient.v,
        // The norms are a function of v; the gradient to v already includes them.
        ...(norms === undefined ? {} : { norms: () => tf.zerosLike(norms) }),
      };
    },
  });
  return (inputs, norms, attributes) => {
    // The backend may have changed since the forward pass, and the old one may have kept no norms.
    if (kernelsInUse()?.keepsNorms !== true) return run({ ...inputs }, attributes);
    return norms === undefined ? null : run({ ...inputs, norms }, attributes);
  };
}

/** Computes with operations of tfjs, where no kernel exists or nothing can be saved on the tape. */
function composed(g: Tensor, v: Tensor, axes: readonly number[], eps: number): Tensor {
  const op = tf.customGrad((...args) => {
    const [magnitude, direction, save] = args as [Tensor, Tensor, (tensors: Tensor[]) => void];
    const result = weightNormReference(magnitude, direction, axes, eps);
    save([magnitude, direction]);
    return {
      value: result,
      gradFunc: (dW: Tensor, saved: Tensor[]) => {
        const { dg, dv } = weightNormGradient(dW, saved[0]!, saved[1]!, axes, eps);
        return [dg, dv];
      },
    };
  });
  return op(g, v);
}
