import { correlation } from '../../src/index.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(correlation as Entry, {
  cases: [
    { shape: [4, 4] },
    { shape: [3, 3], options: { cholesky: true } },
    { shape: [2, 2, 2] },
    { shape: [1, 1] },
  ],
});

describeEntryGolden(correlation as Entry);
describeEntryGolden(correlation as Entry, {
  name: 'correlationCholesky',
  set: 'none',
  options: () => ({ cholesky: true }),
});
