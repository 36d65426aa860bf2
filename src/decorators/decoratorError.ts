import { ParametrizeError } from '../core/errors.ts';

/**
 * How a class was compiled: with standard decorators, with `experimentalDecorators`, or with an earlier proposal of the
 * standard.
 */
export type DecoratorMode = 'standard' | 'legacy' | 'early proposal';

/** A decorator stands where it cannot work; its code is `DECORATOR`. The message names the mode and the remedy. */
export class DecoratorError extends ParametrizeError {
  override readonly name: string = 'DecoratorError';
  /** How the class was compiled. */
  readonly mode: DecoratorMode;

  constructor(mode: DecoratorMode, message: string) {
    super('DECORATOR', message);
    this.mode = mode;
  }
}
