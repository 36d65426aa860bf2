import { type ErrorParts, ParametrizeError } from '../core/errors.ts';

/**
 * The form of decorators that a class was compiled with: standard decorators, `experimentalDecorators`, or an earlier
 * proposal of the standard.
 */
export type DecoratorMode = 'standard' | 'legacy' | 'early proposal';

/**
 * The error of a decorator that cannot work on its member or in its class. Its code is `DECORATOR`. Its message names
 * the mode and the remedy.
 */
export class DecoratorError extends ParametrizeError {
  override readonly name: string = 'DecoratorError';
  /** The form of decorators that the class was compiled with. */
  readonly mode: DecoratorMode;

  constructor(mode: DecoratorMode, parts: ErrorParts) {
    super('DECORATOR', { caller: '@parametrized', ...parts });
    this.mode = mode;
  }
}
