import { describe, expect, it } from 'vitest';
import { claims } from '../../../examples/paper/claims.ts';
import { Grid } from '../../../examples/paper/grid.ts';
import { initialized, meanOnly } from '../../../examples/paper/methods.ts';
import { agreeingRuns, runOf } from './run.ts';

const verdicts = (grid: Grid): string[] => claims(grid).map(({ verdict }) => verdict);

describe('claims', () => {
  it('hold where every seed agrees with the paper', () => {
    const grid = new Grid(agreeingRuns());
    expect(grid.bestRate(initialized)).toBe(0.01);
    const seeds = 'yes, 3 of 3 seeds';
    expect(verdicts(grid)).toEqual([
      seeds,
      seeds,
      seeds,
      seeds,
      'yes',
      seeds,
      seeds,
      seeds,
      seeds,
      seeds,
      seeds,
    ]);
  });

  it('hold in part or not where seeds disagree, and count runs that never reach the loss', () => {
    const grid = new Grid(
      agreeingRuns().map((run) => {
        if (run.method === initialized && run.seed === 1) return runOf(initialized, run.rate, 1, 40, 2);
        if (run.method === meanOnly && run.seed > 1) return { ...run, testError: 1, noise: 1 };
        return run;
      }),
    );
    const [faster, , , early, , , noise, error, , robust] = verdicts(grid);
    expect(faster).toBe('in part, 2 of 3 seeds');
    expect(early).toBe('yes, 3 of 3 seeds');
    expect(noise).toBe('no, 1 of 3 seeds');
    expect(error).toBe('no, 1 of 3 seeds');
    expect(robust).toBe('in part, 2 of 3 seeds');
    expect(claims(grid)[0]!.measured).toMatch(/^steps to loss 1: \d+ ± 0 \(2 of 3 runs\) against/);
  });
});
