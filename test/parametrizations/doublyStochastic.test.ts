import { doublyStochastic } from '../../src/index.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(doublyStochastic as Entry, {
  cases: [
    { shape: [3, 3] },
    { shape: [2, 2, 2], options: { iterations: 50 } },
    { shape: [1, 1], options: { iterations: 1 } },
  ],
  // The sums of the rows converge slowly where a value of 1 stands beside values near 0.
  tolerance: 1e-2,
});

describeEntryGolden(doublyStochastic as Entry);
