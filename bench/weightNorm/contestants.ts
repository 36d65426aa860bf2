import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { cpuStorage } from '../../src/engine/cpuStorage.ts';
import { wasmHeap } from '../../src/engine/wasmHeap.ts';
import { weightNormOp } from '../../src/kernels/index.ts';
import { defineWeightNorm } from '../../src/kernels/weightNorm/weightNormOp.ts';
import type { Step } from '../measure/tfjsContestant.ts';
import { type Case, inputsOf, type Wave } from './cases.ts';

/** Makes the tensors of a case and returns the work. */
export type MakeStep = (work: Case) => Step;

type Op = (g: Tensor, v: Tensor, axes: readonly number[]) => Tensor;

/** What `weightNorm` computes with. */
export const fused: MakeStep = (work) => {
  const { g, v, dW, axes } = tensorsOf(work);
  if (work.pass !== 'backward') return stepOf(work, (g, v, axes) => weightNormOp(g, v, axes, 0));
  const attributes = { axes, eps: 0 };
  const kernel = (name: string, inputs: Record<string, Tensor>) =>
    tf.engine().runKernel<Tensor[]>(`tfjs-parametrize/${name}`, inputs, attributes);
  // The first gradient tells tfjs about both kernels.
  tf.dispose(tf.grads((g: Tensor, v: Tensor) => weightNormOp(g, v, axes, 0))([g, v]));
  const [W, norms] = kernel('WeightNorm', { g, v });
  W!.dispose();
  return { compute: () => kernel('WeightNormGradient', { dW, g, v, norms: norms! }) };
};

/** The same in tfjs operations, with a gradient in closed form: what runs where there is no kernel. */
export const reference: MakeStep = (work) => stepOf(work, (g, v, axes) => composed(g, v, axes, 0));

const composed = defineWeightNorm(() => null);

/** The shortest that one can write with tfjs: `v·(g/√Σv²)`, differentiated by tfjs. */
export const operations: MakeStep = (work) =>
  stepOf(work, (g, v, axes) => tf.mul(v, tf.div(g, tf.sqrt(tf.sum(tf.square(v), [...axes], true)))));

/** What no computation on so many numbers can be faster than: copying v to where it was copied before. */
export const copy: MakeStep = (work) => {
  const { v } = tensorsOf(work);
  const target = tf.zerosLike(v);
  const move = tf.getBackend() === 'wasm' ? copyOnHeap(v, target) : copyOfArray(v, target);
  return {
    compute() {
      move();
      return [];
    },
  };
};

function copyOnHeap(v: Tensor, target: Tensor): () => void {
  const heap = wasmHeap(tf.backend());
  const [from, to] = [heap.address(v), heap.address(target)];
  return () => new Uint8Array(heap.memory.buffer).copyWithin(to, from, from + 4 * v.size);
}

function copyOfArray(v: Tensor, target: Tensor): () => void {
  const { numbers } = cpuStorage(tf.backend());
  return () => numbers(target).set(numbers(v));
}

/** The weight, or the weight and its gradients. Backward alone is what only a kernel can do. */
function stepOf(work: Case, op: Op): Step {
  const { g, v, dW, axes } = tensorsOf(work);
  if (work.pass === 'forward') return { compute: () => [op(g, v, axes)] };
  const differentiated = tf.valueAndGrads((...x) => op(x[0]!, x[1]!, axes));
  return {
    compute() {
      const { value, grads } = differentiated([g, v], dW);
      return [value, ...grads];
    },
  };
}

function tensorsOf(work: Case): { g: Tensor; v: Tensor; dW: Tensor; axes: number[] } {
  const { g, v, dW } = inputsOf(work);
  return { g: tensorOf(g), v: tensorOf(v), dW: tensorOf(dW), axes: [1 - work.kept] };
}

function tensorOf({ shape, phase, offset }: Wave): Tensor {
  const count = tf.util.sizeFromShape([...shape]);
  const numbers = Float32Array.from({ length: count }, (_, i) => offset + Math.sin(phase * (i + 1)));
  return tf.tensor(numbers, [...shape]);
}
