import { ParametrizeError } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { nearest } from '../../core/text.ts';
import type { RecipeTie } from '../../stateDict/recipe.ts';
import { type FoundCandidate, tensorPath } from '../select/candidate.ts';

/** A tensor of a recipe. */
type Place = Pick<RecipeTie, 'path' | 'tensor'>;

/** A candidate for a tensor that does not exist. */
export const absent = ({ path, tensor }: Place, index: number): FoundCandidate => ({
  index,
  host: {},
  path,
  paths: [path],
  tensor,
  type: '',
  shape: [],
  dtype: 'float32',
  registered: [],
  list: null,
  variable: null,
  isMain: false,
});

/** The largest number of tensors that an error lists. */
const maxListed = 8;

/** Returns the error for a recipe with tensors that the model lacks. */
export function unknownTensors(
  caller: string,
  missing: readonly Place[],
  candidates: readonly FoundCandidate[],
): ParametrizeError {
  const known = candidates.map(tensorPath);
  const listed = missing.slice(0, maxListed).map(({ path: at, tensor }) => {
    const label = joinPath(at, tensor);
    const near = nearest(label, known, 2).map((path) => `'${path}'`);
    return `'${label}'${near.length === 0 ? '' : ` (nearest: ${near.join(', ')})`}`;
  });
  const rest = missing.length > maxListed ? ` and ${missing.length - maxListed} more` : '';
  return new ParametrizeError('UNKNOWN_TENSOR', {
    caller,
    fact: `the model has no tensor ${listed.join(', ')}${rest}`,
    remedy: 'Build the model that the recipe was made of, or pass strict: false to leave these tensors out.',
  });
}
