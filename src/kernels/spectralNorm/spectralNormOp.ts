import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { SingularVectors } from '../../ops/matrix/powerIteration.ts';
import { scaleAlong } from '../../ops/norm/norm.ts';
import { scaleToOne } from '../../ops/norm/scaleToOne.ts';
import { defineKernel, type KernelsInUse, type RunKernel } from '../defineKernel.ts';
import { canBeFused } from './canBeFused.ts';
import type { SpectralNormKernels } from './kernels.ts';
import { pullBackTwice, spectralNormReference } from './reference.ts';

/** The arguments of the kernels beside tensors. */
interface Attributes extends NamedAttrMap {
  dim: number;
}

/** See {@link defineSpectralNorm}. */
export type SpectralNormOp = (W: Tensor, dim: number, vectors: SingularVectors) => Tensor;

/**
 * Spectral normalization as one operation with one gradient: `Y = W/σ`, `σ = uᵀMv`, M the matrix whose rows are the
 * slices of W along `dim`; see {@link spectralNormReference}. Right over the whole range of float32. On a backend with
 * kernels for it, one kernel forward and one backward.
 */
export function defineSpectralNorm(kernelsInUse: KernelsInUse<SpectralNormKernels>): SpectralNormOp {
  const backward = defineBackward(kernelsInUse);
  const forward = defineKernel<SpectralNormKernels, Attributes>(kernelsInUse, {
    name: 'tfjs-parametrize/SpectralNorm',
    compute: (kernels, { W, left, right }, { dim }) =>
      kernels.forward(W!, { left: left!, right: right! }, dim),
    savedOutputs: [1],
    gradient([dY], saved, attributes) {
      const [W, left, right, sigma] = saved as [Tensor, Tensor, Tensor, Tensor];
      const outputs = backward({ dY: dY!, W, left, right, sigma }, attributes);
      const dW = outputs?.[0] ?? referenceGradient(dY!, W, attributes.dim, { left, right });
      return { W: () => dW, ...constants({ left, right }) };
    },
  });
  return (W, dim, vectors) => {
    const outputs = canBeFused(W) ? forward({ W, ...vectors }, { dim }) : null;
    // The scale cancels out; without it, squares of σ in the gradient would under- or overflow where σ does not.
    if (outputs === null) return spectralNormReference(scaleToOne(W), dim, vectors);
    outputs[1]!.dispose();
    return outputs[0]!;
  };
}

const defineBackward = (kernelsInUse: KernelsInUse<SpectralNormKernels>): RunKernel<Attributes> =>
  defineKernel(kernelsInUse, {
    name: 'tfjs-parametrize/SpectralNormGradient',
    compute: (kernels, { dY, W, left, right, sigma }, { dim }) => [
      kernels.backward(dY!, W!, { left: left!, right: right! }, sigma!, dim),
    ],
    gradient([r], saved, { dim }) {
      const [dY, W, left, right, sigma] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor];
      // With the scale s as a constant, the gradient to ∂L/∂Y is 1/s of that at W/s, and the gradient to W is 1/s².
      // Divided last: both are linear in r, and what is zero stays zero.
      const scale = tf.reshape(scaleAlong(W, axesOf(W)), []);
      const [toDY, toW] = pullBackTwice(r!, dY, scaleToOne(W), dim, { left, right });
      // σ is a function of W, and the gradient to W takes that into account.
      return {
        dY: () => tf.div(toDY!, scale),
        W: () => tf.div(tf.div(toW!, scale), scale),
        ...constants({ left, right, sigma }),
      };
    },
  });

const axesOf = ({ shape }: Tensor): number[] => shape.map((_, axis) => axis);

/** Gradients of what counts as a constant. */
const constants = (inputs: Record<string, Tensor>): Record<string, () => Tensor> =>
  Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, () => tf.zerosLike(input)]));

/** The gradient where there is no kernel for it. */
const referenceGradient = (dY: Tensor, W: Tensor, dim: number, vectors: SingularVectors): Tensor =>
  tf.grad((x) => spectralNormReference(scaleToOne(x), dim, vectors))(W, dY);
