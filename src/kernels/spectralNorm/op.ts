import type { NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { registerGradientOnce, registerKernelOnce, runRecorded } from '../../engine/recordedKernel.ts';
import { runKernel } from '../../engine/runKernel.ts';
import { asMatrix, powerIteration, type SingularVectors } from '../../ops/matrix/powerIteration.ts';
import { scaleAlong } from '../../ops/norm/norm.ts';
import { scaleToOne } from '../../ops/norm/scaleToOne.ts';
import type { Iteration, SpectralNormKernels } from './kernels.ts';
import { pullBackTwice, spectralNormReference } from './reference.ts';

/** The names under which tfjs's profiler shows the three kernels. */
const ITERATE = 'tfjs-parametrize/PowerIteration';
const FORWARD = 'tfjs-parametrize/SpectralNorm';
const BACKWARD = 'tfjs-parametrize/SpectralNormGradient';

type KernelsInUse = () => SpectralNormKernels | null;
type Inputs<Name extends string> = Record<Name, TensorInfo>;

/**
 * Spectral normalization as one operation with one gradient: `Y = W/σ`, `σ = uᵀMv`, M the matrix whose rows are the slices
 * of W along `dim`; see {@link spectralNormReference}. Right over the whole range of float32.
 *
 * @param kernelsInUse - the fused kernels of the backend in use, or null where there are none
 */
export function spectralNormWith(
  kernelsInUse: KernelsInUse,
  W: Tensor,
  dim: number,
  vectors: SingularVectors,
): Tensor {
  if (canBeFused(W) && kernelsInUse() !== null) {
    register(tf.getBackend(), kernelsInUse);
    const { left, right } = vectors;
    const outputs = runRecorded(FORWARD, { W, left, right }, { dim }, (i) => i === 1);
    if (outputs !== null) {
      outputs[1]!.dispose();
      return outputs[0]!;
    }
  }
  // The scale cancels out; without it, squares of σ in the gradient would under- or overflow where σ does not.
  return spectralNormReference(scaleToOne(W), dim, vectors);
}

/**
 * The power iteration of the matrix of W; see `powerIteration`. Not to be differentiated.
 *
 * @param how - `eps` is relative to the largest element of W
 */
export function powerIterationWith(
  kernelsInUse: KernelsInUse,
  W: Tensor,
  dim: number,
  start: SingularVectors,
  how: Iteration,
): SingularVectors {
  if (canBeFused(W) && kernelsInUse() !== null) {
    register(tf.getBackend(), kernelsInUse);
    const [left, right] = runKernel(ITERATE, { W, ...start }, { dim, ...how });
    return { left: left!, right: right! };
  }
  return powerIteration(asMatrix(scaleToOne(W), dim), start, how.iterations, how.eps, how.first);
}

const canBeFused = (W: Tensor): boolean => W.dtype === 'float32' && W.size > 0;

/** The backends that the kernels are registered for. */
const registeredFor = new Set<string>();

function register(backendName: string, kernelsInUse: KernelsInUse): void {
  if (registeredFor.has(backendName)) return;
  registeredFor.add(backendName);
  registerKernelOnce({
    kernelName: ITERATE,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { W, left, right } = inputs as Inputs<'W' | 'left' | 'right'>;
      const { dim, ...how } = attrs as NamedAttrMap & Iteration & { dim: number };
      return kernelsInUse()!.iterate(W, { left, right }, dim, how);
    },
  });
  registerKernelOnce({
    kernelName: FORWARD,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { W, left, right } = inputs as Inputs<'W' | 'left' | 'right'>;
      return kernelsInUse()!.forward(W, { left, right }, dimOf(attrs));
    },
  });
  registerKernelOnce({
    kernelName: BACKWARD,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { dY, W, left, right, sigma } = inputs as Inputs<'dY' | 'W' | 'left' | 'right' | 'sigma'>;
      return [kernelsInUse()!.backward(dY, W, { left, right }, sigma, dimOf(attrs))];
    },
  });
  registerGradientOnce(FORWARD, (dys, saved, attributes) => {
    const dY = (dys as Tensor[])[0]!;
    const [W, left, right, sigma] = saved as [Tensor, Tensor, Tensor, Tensor];
    const outputs = runRecorded(BACKWARD, { dY, W, left, right, sigma }, attributes, () => false);
    const dW = outputs?.[0] ?? referenceGradient(dY, W, dimOf(attributes), { left, right });
    return { W: () => dW, ...constants({ left, right }) };
  });
  registerGradientOnce(BACKWARD, (dys, saved, attributes) => {
    // Of a kernel with one output tfjs gives no list.
    const r = dys as Tensor;
    const [dY, W, left, right, sigma] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor];
    // With the scale s as a constant, the gradient to ∂L/∂Y is 1/s of that at W/s, and the gradient to W is 1/s². Divided
    // last: both are linear in r, and what is zero stays zero.
    const scale = tf.reshape(scaleAlong(W, axesOf(W)), []);
    const [toDY, toW] = pullBackTwice(r, dY, scaleToOne(W), dimOf(attributes), { left, right });
    // σ is a function of W, and the gradient to W takes that into account.
    return {
      dY: () => tf.div(toDY!, scale),
      W: () => tf.div(tf.div(toW!, scale), scale),
      ...constants({ left, right, sigma }),
    };
  });
}

const dimOf = (attributes: NamedAttrMap | undefined): number => attributes!['dim'] as number;

const axesOf = ({ shape }: Tensor): number[] => shape.map((_, axis) => axis);

/** Gradients of what counts as a constant. */
const constants = (inputs: Record<string, Tensor>): Record<string, () => Tensor> =>
  Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, () => tf.zerosLike(input)]));

/** Where the tape cannot be told what to save. */
const referenceGradient = (dY: Tensor, W: Tensor, dim: number, vectors: SingularVectors): Tensor =>
  tf.grad((x) => spectralNormReference(scaleToOne(x), dim, vectors))(W, dY);
