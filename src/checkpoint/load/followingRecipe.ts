import { ParametrizeError } from '../../core/errors.ts';
import { CheckpointError } from '../checkpointError.ts';

/**
 * Runs a function that follows the recipe of a file.
 *
 * @throws {@link CheckpointError} `UNKNOWN_RECIPE` if the model cannot follow the recipe; and the other errors of the
 * function
 */
export function followingRecipe<T>(follow: () => T): T {
  try {
    return follow();
  } catch (error) {
    if (!(error instanceof ParametrizeError) || error.code !== 'UNKNOWN_RECIPE') throw error;
    const { caller, fact, remedy, message } = error;
    throw new CheckpointError('UNKNOWN_RECIPE', fact ?? message, remedy ?? '', { caller });
  }
}
