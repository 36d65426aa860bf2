import type { GradFunc, KernelConfig, NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { alias } from './scope.ts';
import { currentTape } from './tape.ts';

interface TapeNode {
  readonly kernelName: string;
  readonly inputs: NamedTensorMap;
  readonly outputs: readonly Tensor[];
  /** The tensors that the gradient gets; the engine disposes them with the tape. */
  readonly saved?: Tensor[];
}

/** The part of tfjs's engine that this file relies on. */
interface Recorder {
  addTapeNode?(
    name: string,
    inputs: NamedTensorMap,
    outputs: Tensor[],
    gradient: (dy: Tensor) => Record<string, () => Tensor>,
    saved: Tensor[],
    attributes: NamedAttrMap,
  ): void;
}

/** Registers a kernel with tfjs, unless another copy of this package has done so. */
export function registerKernelOnce(kernel: KernelConfig): void {
  if (tf.getKernel(kernel.kernelName, kernel.backendName) === undefined) tf.registerKernel(kernel);
}

/** Registers the gradient of a kernel that {@link runRecorded} runs, unless tfjs has it. */
export function registerGradientOnce(kernelName: string, gradFunc: GradFunc): void {
  if (tf.getGradient(kernelName) === undefined) {
    tf.registerGradient({ kernelName, inputsToSave: [], outputsToSave: [], gradFunc });
  }
}

/** Runs a kernel that has no gradient. */
export const runKernel = (kernelName: string, inputs: NamedTensorMap, attributes: NamedAttrMap): Tensor[] =>
  tf.engine().runKernel<Tensor[]>(kernelName, inputs, attributes);

/**
 * Runs a kernel. If the run is recorded, the inputs and the requested outputs are saved for the gradient, in this
 * order.
 *
 * tfjs clones the tensors that it saves for a gradient, and a clone on wasm copies the data. This function saves
 * aliases instead.
 *
 * @returns the outputs; null if the tape of this version of tfjs has another structure, so that nothing can be saved
 */
export function runRecorded(
  kernelName: string,
  inputs: NamedTensorMap,
  attributes: NamedAttrMap,
  savesOutput: (index: number) => boolean,
): Tensor[] | null {
  const outputs = runKernel(kernelName, inputs, attributes);
  const tape = currentTape();
  if (tape === null) return outputs;
  const node: TapeNode | undefined = Array.isArray(tape) ? tape.at(-1) : undefined;
  const saved = node?.saved;
  if (
    node?.kernelName !== kernelName ||
    node.outputs?.[0] !== outputs[0] ||
    !Array.isArray(saved) ||
    saved.length > 0 ||
    typeof recorder().addTapeNode !== 'function'
  ) {
    tf.dispose(outputs);
    return null;
  }
  for (const input of Object.values(inputs)) saved.push(savedInput(input));
  outputs.forEach((output, i) => {
    if (savesOutput(i)) saved.push(tf.keep(alias(output)));
  });
  return outputs;
}

/**
 * Makes an {@link alias} that is recorded, so that a gradient of a gradient reaches the input through it.
 *
 * The alias is recorded at every depth. Nested gradients share one tape, and a value made at one depth may be
 * differentiated inside a deeper gradient, whose backward pass is recorded. A backward pass skips an alias that nothing
 * depends on.
 */
function savedInput(x: Tensor): Tensor {
  const y = tf.keep(alias(x));
  recorder().addTapeNode!('alias', { x }, [y], (dy) => ({ x: () => dy }), [], {});
  return y;
}

const recorder = (): Recorder => tf.engine() as unknown as Recorder;
