import Table from 'cli-table3';
import type { Result, Spread } from './interleave.ts';

/** The results of one comparison as text: milliseconds, and how many times the first row's they are. */
export function ratioTable(title: string, results: readonly Result[]): string {
  const table = new Table({
    head: [title, 'rounds', 'ms: min', 'median', 'max', 'ratio: min', 'median', 'max'],
    colAligns: ['left', ...Array.from({ length: 7 }, () => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, rounds, milliseconds, ratio } of results) {
    table.push([name, rounds, ...cells(milliseconds), ...cells(ratio)]);
  }
  return table.toString();
}

const cells = ({ min, median, max }: Spread): string[] => [min, median, max].map(threeDigits);

/** Three digits that count, and no exponent. */
const threeDigits = (number: number): string =>
  number.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: false });
