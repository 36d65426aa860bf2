import { ParametrizeError } from '../errors.ts';
import type { ChainStep } from './chainStep.ts';
import { describeValue, stepName } from './rightInverse.ts';

/** The error of a forward that returns something else. */
export const notATensor = (caller: string, step: ChainStep, value: unknown): ParametrizeError =>
  new ParametrizeError(
    'FORWARD_RESULT',
    `${caller}: forward of ${stepName(step)} must return a tensor, got ${describeValue(value)}.`,
  );

/** The error of a read in a gradient where tfjs knows no gradients. */
export const noGradients = (label: string): ParametrizeError =>
  new ParametrizeError(
    'NO_GRADIENTS',
    `reading ${label} in a gradient: no gradients are registered in tfjs. Add: import '@tensorflow/tfjs';`,
  );

let warned = false;

/** Warns, once in the life of the process, that a read can have no gradient where it stands. */
export function warnCustomGradient(label: string): void {
  if (warned) return;
  warned = true;
  console.warn(
    `tfjs-parametrize: ${label} is read in the forward of a tf.customGrad, where tfjs records nothing: the value is right, but no gradient reaches its originals. Read it before and pass it as an argument.`,
  );
}
