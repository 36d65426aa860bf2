import { describe, expect, it } from 'vitest';
import { resultTable, rowsOf } from '../../../examples/mnist/resultTable.ts';
import type { Run } from '../../../examples/mnist/runVariant.ts';

const run = (milliseconds: number, evaluations: number): Run => ({
  name: 'weight norm, cached',
  losses: [1, 0.5],
  durations: [milliseconds, milliseconds],
  accuracies: [1],
  usage: { training: { reads: evaluations, evaluations }, testing: { reads: evaluations, evaluations } },
  tensors: { before: 0, after: 0 },
  fold: null,
});

describe('resultTable', () => {
  it.each([
    [3, 4],
    [133.7, 10_000],
    [98_765.4, 1_234_567],
  ])('shows every cell on one line where a step takes %d ms and evaluates %d times', (time, evaluations) => {
    const runs = [run(time, evaluations), run(1, 1)];
    const lines = resultTable(runs).split('\n');
    for (const row of rowsOf(runs)) {
      const cells = (line: string): string[] => line.split('│').map((cell) => cell.trim());
      expect(lines.map(cells)).toContainEqual(['', ...row, '']);
    }
  });
});
