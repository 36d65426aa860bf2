import { EvaluationCache } from './evaluationCache.ts';
import { hide } from './listProperties.ts';
import type { ParametrizationList } from './parametrizationList.ts';

/**
 * Gives a chain an empty cache.
 *
 * @returns a function that frees its values and gives the old cache back
 */
export function freshCache(list: ParametrizationList): () => void {
  const { cache: before } = list as unknown as { cache: EvaluationCache };
  const fresh = new EvaluationCache(list.label);
  hide(list, { cache: fresh });
  return () => {
    fresh.clear();
    before.reads += fresh.reads;
    before.evaluations += fresh.evaluations;
    hide(list, { cache: before });
  };
}
