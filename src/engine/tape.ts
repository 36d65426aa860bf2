import * as tf from '@tensorflow/tfjs-core';

/** The list of operations that one outermost gradient has recorded; nested gradients share it. */
export type Tape = object;

interface TapeNode {
  readonly inputs: tf.NamedTensorMap;
}

/**
 * The state of the engine.
 *
 * - `idle`: nothing is differentiated here.
 * - `recording`: operations are written to the tape.
 * - `customGradient`: the forward of a `tf.customGrad` runs inside a gradient; tfjs records nothing there.
 */
export type Recording = 'idle' | 'recording' | 'customGradient';

/** See {@link Recording}. */
export function recording(): Recording {
  const { gradientDepth, kernelDepth } = tf.engine().state;
  if (gradientDepth === 0) return 'idle';
  return kernelDepth === 0 ? 'recording' : 'customGradient';
}

/** True in the function that a gradient differentiates, also where tfjs records nothing. */
export const inGradient = (): boolean => tf.engine().state.gradientDepth > 0;

/** True while the forward of a `tf.customGrad` (or a kernel) runs, inside or outside of a gradient. */
export const inKernel = (): boolean => tf.engine().state.kernelDepth > 0;

/** The tape that is being recorded, or null when nothing is. */
export function currentTape(): Tape | null {
  const { activeTape, gradientDepth, kernelDepth } = tf.engine().state;
  return gradientDepth > 0 && kernelDepth === 0 ? activeTape : null;
}

let gradientsSeen = false;

/**
 * True if tfjs knows gradients. Bare `@tensorflow/tfjs-core` registers none; `@tensorflow/tfjs` and
 * `@tensorflow/tfjs-layers` do when they are imported.
 */
export function hasGradients(): boolean {
  gradientsSeen ||= tf.getGradient('Multiply') !== undefined;
  return gradientsSeen;
}

/**
 * Runs `fn` while recording, differentiates nothing, disposes whatever `fn` made, and returns every tensor that an
 * operation of `fn` took as input. Null where tfjs could not tell: nothing is recorded inside a `tf.customGrad`.
 *
 * Works with and without registered gradients.
 */
export function recordInputs(fn: () => void): ReadonlySet<tf.Tensor> | null {
  const engine = tf.engine();
  if (engine.state.kernelDepth > 0) {
    tf.tidy(fn);
    return null;
  }
  let inputs: ReadonlySet<tf.Tensor> | null = null;
  let failure: { error: unknown } | undefined;
  tf.tidy(() => {
    const recorded = (): tf.Tensor => {
      const tape: unknown = engine.state.activeTape;
      const nodes = Array.isArray(tape) ? (tape as TapeNode[]) : null;
      const start = nodes?.length ?? 0;
      try {
        fn();
        inputs = nodes && new Set(nodes.slice(start).flatMap((node) => Object.values(node.inputs)));
      } catch (error) {
        // This frees the saved tensors by hand: tfjs frees them only when the recorded function returns.
        failure = { error };
      }
      return tf.scalar(0);
    };
    // The output depends on nothing, so that the backward pass is empty and no gradient has to exist.
    engine.gradients(recorded, [tf.scalar(0)], undefined, true);
  });
  if (failure !== undefined) throw (failure as { error: unknown }).error;
  return inputs;
}
