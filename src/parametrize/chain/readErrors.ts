import type { Variable } from '@tensorflow/tfjs-core';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { warnOnce } from '../../core/warnOnce.ts';
import type { ChainStep } from './chainStep.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { describeValue, stepName } from './rightInverse.ts';

/** The error of a forward that does not return a tensor. */
export const notATensor = (caller: string, step: ChainStep, value: unknown): ParametrizeError =>
  refusal(
    'FORWARD_RESULT',
    caller,
    `forward of ${stepName(step)} must return a tensor, got ${describeValue(value)}`,
  );

/** The error of a parametrization that reads its own tensor. */
export const cyclicRead = (label: string): ParametrizeError =>
  refusal(
    'CYCLE',
    `reading ${label}`,
    'a parametrization reads the tensor that it computes',
    'Use its argument instead.',
  );

/**
 * The error of a chain that can no longer be evaluated.
 *
 * @param original - the name of the original that was disposed; undefined if the chain was removed
 */
export const endedChain = (label: string, original: string | undefined): ParametrizeError =>
  refusal(
    'DISPOSED',
    `reading ${label}`,
    `${original === undefined ? 'the parametrization was removed' : `its original '${original}' was disposed`}, by dispose() or tf.disposeVariables()`,
    'Make the host again, or dispose it last.',
  );

/**
 * Throws while steps of a chain are skipped, or its variables replaced: a write or an edit would make another value
 * than the whole chain has.
 *
 * @throws {@link ParametrizeError} `CONFLICT`
 */
export function checkComplete(caller: string, { label, active, steps }: ParametrizationList): void {
  if (active === steps) return;
  const skipped = steps.length - active.length;
  throw refusal(
    'CONFLICT',
    caller,
    skipped === 0
      ? `evaluate computes ${label} from other tensors at the moment`
      : `${skipped} of the ${steps.length} parametrization(s) of ${label} are skipped at the moment`,
    'Wait until the function that does so has ended.',
  );
}

/** The error of a read in a gradient if tfjs has no gradients. */
export const noGradients = (label: string): ParametrizeError =>
  refusal(
    'NO_GRADIENTS',
    `reading ${label} in a gradient`,
    'no gradients are registered in tfjs',
    "Add: import '@tensorflow/tfjs';",
  );

/** The error of a use of a borrowed value that has ended. */
export const endedValue = (label: string): ParametrizeError =>
  refusal(
    'DISPOSED',
    `using a value of ${label}`,
    `it was borrowed, and it ended when ${label} was read again after a change, or was removed or disposed`,
    'Read the tensor anew, or hold a copy: tf.clone(value).',
  );

/** Warns once in the life of the process that a read in the forward of a `tf.customGrad` has no gradient. */
export function warnCustomGradient(label: string): void {
  warnOnce(
    'customGrad',
    `${label} is read in the forward of a tf.customGrad, where tfjs records nothing: the value is right, but no gradient reaches its originals. Read it before and pass it as an argument.`,
  );
}

/** The error of a right inverse that changes a variable outside of the loaded state. */
export const writesOutside = (caller: string, label: string, { name }: Variable): ParametrizeError =>
  refusal(
    'RIGHT_INVERSE',
    caller,
    `a rightInverse of ${label} writes its dependency '${name}', which is not a part of the state that is loaded. The value that is read would differ from the loaded one`,
    'Hold the variable as a parameter() or buffer() of a Parametrization, or assign the value to the tensor.',
  );
