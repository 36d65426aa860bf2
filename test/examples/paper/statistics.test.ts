import { describe, expect, it } from 'vitest';
import { spreadOf, stepsTo } from '../../../examples/paper/statistics.ts';

describe('spreadOf', () => {
  it('divides by n − 1, and gives one value no deviation', () => {
    expect(spreadOf([1, 2, 3])).toEqual({ mean: 2, deviation: 1 });
    expect(spreadOf([5])).toEqual({ mean: 5, deviation: 0 });
  });
});

describe('stepsTo', () => {
  it('counts from one, and is infinite for a loss that is never reached', () => {
    expect(stepsTo(1, [3, 1, 2])).toBe(2);
    expect(stepsTo(0.5, [3, 1, 2])).toBe(Number.POSITIVE_INFINITY);
  });
});
