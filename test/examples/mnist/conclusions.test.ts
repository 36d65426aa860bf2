import { describe, expect, it } from 'vitest';
import { conclusions } from '../../../examples/mnist/conclusions.ts';
import type { Results } from '../../../examples/mnist/resultTables.ts';
import { variants } from '../../../examples/mnist/variants.ts';
import { runOf } from './run.ts';

/** Results with the accuracies of the seeds, for each variant. */
const resultsOf = (...accuracies: number[][]): Results => ({
  runs: variants.flatMap(({ name }, i) =>
    accuracies[i]!.map((accuracy, seed) => runOf(name, seed + 1, accuracy)),
  ),
  norms: [
    { name: 'tf.constraints.unitNorm', least: 0.5, largest: 1.2 },
    { name: 'the same as a parametrization', least: 1, largest: 1.000001 },
  ],
  critics: [
    { name: 'each read iterates', iterationsPerStep: 6, durations: [1], loss: 1 },
    { name: 'in cached', iterationsPerStep: 3, durations: [1], loss: 1 },
  ],
});

describe('conclusions', () => {
  it('says what holds for every seed, with its numbers', () => {
    expect(conclusions(resultsOf([0.1, 0.1], [0.1, 0.12], [0.65, 0.7]))).toEqual([
      'With weight norm, initialized from one batch, every seed reaches at least 65.0 %; no other run comes above 12.0 %.',
      'Weight norm without the initialization changes the accuracy of no seed by more than 2.0 points.',
      expect.stringContaining('Folded 1 weights into plain ones'),
      expect.stringContaining(
        'is off by up to 0.50 after fit; the same as a parametrization by at most 1.0e-6',
      ),
      expect.stringContaining('6 power iterations, in cached 3'),
    ]);
  });

  it('says nothing that fails for one seed', () => {
    const mixed = resultsOf([0.1, 0.7], [0.1, 0.5], [0.65, 0.6]);
    const [run] = mixed.runs.filter(({ fold }) => fold !== null);
    const otherLabels = { ...run!, fold: { ...run!.fold!, same: 19 } };
    expect(
      conclusions({
        runs: [...mixed.runs, otherLabels],
        norms: [...mixed.norms].reverse(),
        critics: [...mixed.critics].reverse(),
      }),
    ).toEqual([]);
  });
});
