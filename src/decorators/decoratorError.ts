import { type ErrorParts, ParametrizeError } from '../core/errors.ts';

/**
 * The way in which a class was compiled: with standard decorators, with `experimentalDecorators`, or with an earlier
 * proposal of the standard.
 */
export type DecoratorMode = 'standard' | 'legacy' | 'early proposal';

/**
 * The error of a decorator that cannot work where it stands. Its code is `DECORATOR`; its message names the mode and
 * the remedy.
 */
export class DecoratorError extends ParametrizeError {
  override readonly name: string = 'DecoratorError';
  /** The way in which the class was compiled. */
  readonly mode: DecoratorMode;

  constructor(mode: DecoratorMode, parts: ErrorParts) {
    super('DECORATOR', parts);
    this.mode = mode;
  }
}
