import { attachmentOf } from '../../parametrize/chain/registry.ts';
import { type FoundCandidate, tiedPath } from './candidate.ts';

/**
 * Returns the reason why no parametrization can be registered on a tensor, as the end of a sentence, or null.
 *
 * @param candidates - every tensor of the model
 */
export function whyClosed(
  candidates: readonly FoundCandidate[],
  { list, closed }: FoundCandidate,
): string | null {
  if (closed !== undefined) return closed;
  const tied = tiedPath(candidates, list);
  if (tied !== null) return `it is tied to '${tied}'`;
  return list !== null && attachmentOf(list)?.isHooked === true ? 'the hook API computes it' : null;
}
