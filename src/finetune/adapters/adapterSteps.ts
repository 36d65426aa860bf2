import { refusal } from '../../core/errors.ts';
import { didYouMean, typeName } from '../../core/text.ts';
import { checkModel } from '../../model/checkModel.ts';
import { candidatesOf, type FoundCandidate, tensorPath } from '../../model/select/candidate.ts';
import { tieOf } from '../../nn/module/normalizedTensor.ts';
import { Adapters } from '../../parametrizations/adapters/adapters.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';
import { type Site, siteOf } from '../../parametrize/host/site.ts';

/** A map with adapters in a chain of a model. */
export interface AdapterStep {
  readonly candidate: FoundCandidate;
  readonly site: Site;
  readonly list: ParametrizationList;
  readonly map: Adapters;
  /** The index of the map in the chain. */
  readonly at: number;
  /** The path of the tensor. */
  readonly path: string;
}

/**
 * Returns the maps with adapters of a model, each once.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `LIMIT`
 */
export function adapterSteps(caller: string, model: unknown): AdapterStep[] {
  checkModel(caller, model);
  const found = new Map<Adapters, AdapterStep>();
  for (const candidate of candidatesOf(caller, model)) {
    const { host, tensor, list } = candidate;
    if (list === null || tieOf(list) !== undefined) continue;
    for (const [at, map] of [...list].entries()) {
      if (!(map instanceof Adapters) || found.has(map)) continue;
      found.set(map, { candidate, site: siteOf(host, tensor), list, map, at, path: tensorPath(candidate) });
    }
  }
  return [...found.values()];
}

/**
 * Refuses names of adapters that no map has, and what is no list of names.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkNames(
  caller: string,
  steps: readonly AdapterStep[],
  names: readonly string[],
  known: (step: AdapterStep) => readonly string[] = ({ map }) => map.adapterNames,
  what = 'adapter',
): void {
  const other = Array.isArray(names) ? names.find((name) => typeof name !== 'string') : names;
  if (other !== undefined) {
    throw refusal(
      'OPTION',
      caller,
      `the names of adapters are ${Array.isArray(names) ? `a list with ${typeName(other)}` : typeName(other)}`,
      "Pass names: { adapters: ['digits'] }, or { adapter: 'digits' } to save one.",
    );
  }
  const all = [...new Set(steps.flatMap(known))];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown === undefined) return;
  throw refusal(
    'OPTION',
    caller,
    `the model has no ${what} '${unknown}'`,
    `${didYouMean(unknown, all)} It has: ${all.join(', ') || 'none'}.`.trim(),
  );
}
