import { describe, expect, it } from 'vitest';
import { smoothed } from '../../../examples/mnist/report/smoothed.ts';

describe('smoothed', () => {
  it('averages over the values so far', () => {
    expect(smoothed([1, 3, 5, 9], 2)).toEqual([1, 2, 4, 7]);
  });
});
