import { refusal } from '../../core/errors.ts';
import type { PruneOptions } from './pruneOptions.ts';

const amounts = ['fraction', 'count', 'sparsity', 'nOfM', 'mask'] as const;
const manners = ['method', 'dim', 'norm', 'scores', 'regrow'] as const;

/**
 * Refuses options of `prune` that contradict each other.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkPruneOptions(options: PruneOptions): void {
  const given = amounts.filter((name) => options[name] !== undefined);
  if (given.length > 1) {
    throw refusal(
      'OPTION',
      'prune',
      `${given.join(' and ')} are given`,
      `Pass one of ${amounts.join(', ')}.`,
    );
  }
  const refused = manners.find((name) => options[name] !== undefined && whyRefused(name, options) !== null);
  if (refused === undefined) return;
  throw refusal('OPTION', 'prune', `${refused} is given ${whyRefused(refused, options)}`, 'Leave it out.');
}

/** Returns the reason why an option has no meaning beside the others, as the end of a sentence, or null. */
function whyRefused(
  name: (typeof manners)[number],
  { mask, nOfM, dim, method, ...options }: PruneOptions,
): string | null {
  const hasAmount = amounts.some((amount) => ({ mask, nOfM, ...options })[amount] !== undefined);
  if (!hasAmount) return 'without an amount: fraction, count, sparsity, nOfM or mask';
  if (mask !== undefined && name !== 'regrow') return 'with a mask, which needs no scores';
  if (name === 'scores' && method === 'random') return "with method: 'random'";
  if (name !== 'norm') return null;
  if (nOfM !== undefined) return 'with nOfM, which has no slices';
  if (dim === undefined) return 'without dim, and single elements have no norm';
  return method === 'random' ? "with method: 'random'" : null;
}
