import type { ParametrizeError } from '../../core/errors.ts';
import { CheckpointError } from '../checkpointError.ts';

/** What a model says of a recipe that it cannot follow, as an error of the file that the recipe is in. */
export const recipeError = ({ caller, fact, remedy, message }: ParametrizeError): CheckpointError =>
  new CheckpointError('UNKNOWN_RECIPE', fact ?? message, remedy ?? '', { caller });
