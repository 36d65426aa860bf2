import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { SingularVectors } from '../../ops/matrix/powerIteration.ts';
import { scaleAlong } from '../../ops/norm/norm.ts';
import { scaleToOne } from '../../ops/norm/scaleToOne.ts';
import { defineKernel, type KernelsInUse, type RunKernel } from '../defineKernel.ts';
import { canBeFused } from './canBeFused.ts';
import type { SpectralNormKernels } from './kernels.ts';
import { pullBackTwice, spectralNormReference } from './reference.ts';

/** The arguments of the kernels other than tensors. */
interface Attributes extends NamedAttrMap {
  dim: number;
}

/** See {@link defineSpectralNorm}. */
export type SpectralNormOp = (W: Tensor, dim: number, vectors: SingularVectors) => Tensor;

/**
 * Makes spectral normalization as one operation with one gradient: `Y = W/σ`, `σ = uᵀMv`, where the rows of M are the
 * slices of W along `dim`; see {@link spectralNormReference}. Results are right over the whole range of float32. A
 * backend with kernels runs one kernel forward and one backward.
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
    // The scale cancels out. Without it, σ² in the gradient could under- or overflow where σ does not.
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
      // With a constant scale s, the gradient to ∂L/∂Y is 1/s times the gradient at W/s, and the gradient to W is 1/s²
      // times. Both gradients are linear in r, so the division comes last and zeros stay zero.
      const scale = tf.reshape(scaleAlong(W, axesOf(W)), []);
      const [toDY, toW] = pullBackTwice(r!, dY, scaleToOne(W), dim, { left, right });
      // σ is a function of W; the gradient to W already includes it.
      return {
        dY: () => tf.div(toDY!, scale),
        W: () => tf.div(tf.div(toW!, scale), scale),
        ...constants({ left, right, sigma }),
      };
    },
  });

const axesOf = ({ shape }: Tensor): number[] => shape.map((_, axis) => axis);

/** Returns zero gradients for inputs that count as constants. */
const constants = (inputs: Record<string, Tensor>): Record<string, () => Tensor> =>
  Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, () => tf.zerosLike(input)]));

/** The gradient on backends without a kernel for it. */
const referenceGradient = (dY: Tensor, W: Tensor, dim: number, vectors: SingularVectors): Tensor =>
  tf.grad((x) => spectralNormReference(scaleToOne(x), dim, vectors))(W, dY);
