import type { DigitNet } from './digitNet.ts';

/** How often the parametrized weights of a network have been read, and how often that evaluated a parametrization. */
export interface Usage {
  reads: number;
  evaluations: number;
}

/** The usage since the weights were parametrized; zero if they are not. */
export function usageOf(network: DigitNet): Usage {
  const usage: Usage = { reads: 0, evaluations: 0 };
  for (const layer of network.layers()) {
    const weight = layer.parametrizations?.weight;
    usage.reads += weight?.reads ?? 0;
    usage.evaluations += weight?.evaluations ?? 0;
  }
  return usage;
}

/** Adds what was used between two moments. */
export function addUsage(sum: Usage, from: Usage, to: Usage): void {
  sum.reads += to.reads - from.reads;
  sum.evaluations += to.evaluations - from.evaluations;
}
