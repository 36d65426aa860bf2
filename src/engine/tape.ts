import * as tf from '@tensorflow/tfjs-core';

/** The list of operations that an outermost gradient records; nested gradients share it. */
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

/** Returns the state of the engine; see {@link Recording}. */
export function recording(): Recording {
  const { gradientDepth, kernelDepth } = tf.engine().state;
  if (gradientDepth === 0) return 'idle';
  return kernelDepth === 0 ? 'recording' : 'customGradient';
}

/** True inside the function of a gradient, even where tfjs records nothing. */
export const inGradient = (): boolean => tf.engine().state.gradientDepth > 0;

/** True while the forward of a `tf.customGrad` (or a kernel) runs, inside or outside of a gradient. */
export const inKernel = (): boolean => tf.engine().state.kernelDepth > 0;

/** Returns the tape that is being recorded, or null. */
export function currentTape(): Tape | null {
  const { activeTape, gradientDepth, kernelDepth } = tf.engine().state;
  return gradientDepth > 0 && kernelDepth === 0 ? activeTape : null;
}

const numbers = new WeakMap<Tape, number>();
let tapes = 0;

/** Returns a number for a tape, from 1 on. No other tape ever gets it. */
export function tapeNumber(tape: Tape): number {
  let number = numbers.get(tape);
  if (number === undefined) {
    number = ++tapes;
    numbers.set(tape, number);
  }
  return number;
}

let gradientsSeen = false;

/**
 * True if tfjs has gradients registered. Bare `@tensorflow/tfjs-core` registers none; `@tensorflow/tfjs` and
 * `@tensorflow/tfjs-layers` do when they are imported.
 */
export function hasGradients(): boolean {
  gradientsSeen ||= tf.getGradient('Multiply') !== undefined;
  return gradientsSeen;
}

/**
 * Runs `fn` while recording and returns every tensor that an operation of `fn` took as input. Differentiates nothing,
 * and disposes the tensors that `fn` made. Returns null inside a `tf.customGrad`, where tfjs records nothing.
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
    // Made before, because tfjs frees the saved tensors only if all goes well.
    const [output, input] = [tf.scalar(0), tf.scalar(0)];
    const recorded = (): tf.Tensor => {
      const tape: unknown = engine.state.activeTape;
      const nodes = Array.isArray(tape) ? (tape as TapeNode[]) : null;
      const start = nodes?.length ?? 0;
      try {
        fn();
        inputs = nodes && new Set(nodes.slice(start).flatMap((node) => Object.values(node.inputs)));
      } catch (error) {
        // The error is thrown later, because tfjs frees the saved tensors only when the recorded function returns.
        failure = { error };
      }
      return output;
    };
    // The output depends on no input, so the backward pass is empty and needs no registered gradient.
    engine.gradients(recorded, [input], output, true);
  });
  if (failure !== undefined) throw (failure as { error: unknown }).error;
  return inputs;
}
