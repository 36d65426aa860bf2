import type { ParametrizeError } from '../../core/errors.ts';
import { CheckpointError } from '../checkpointError.ts';

/** The error of a model that cannot follow a recipe, as an error of the file that the recipe is in. */
export const recipeError = ({ caller, fact, remedy, message }: ParametrizeError): CheckpointError =>
  new CheckpointError('UNKNOWN_RECIPE', fact ?? message, remedy ?? '', { caller });
