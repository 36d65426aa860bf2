import { readFileSync, writeFileSync } from 'node:fs';
import type { Result, Spread } from './interleave.ts';

/** Puts text between the comments `<!-- name -->` and `<!-- end of name -->` of a Markdown file. */
export function writeSection(file: string, name: string, text: string): void {
  const page = readFileSync(file, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no section between ${start} and ${end}.`);
  writeFileSync(file, `${page.slice(0, from + start.length)}\n${text}\n${page.slice(to)}`);
}

/**
 * Results of several comparisons as a Markdown table: one row each, with the milliseconds of the first contestant and how
 * many times as long the others took.
 */
export function markdownTable(
  comparisons: readonly { readonly title: string; readonly results: readonly Result[] }[],
): string {
  const names = [...new Set(comparisons.flatMap(({ results }) => results.map(({ name }) => name)))];
  return tableOf(
    ['', `${names[0]}, ms`, ...names.slice(1)],
    comparisons.map(({ title, results }) => [
      title,
      ...names.map((name, i) => {
        const result = results.find((result) => result.name === name);
        if (result === undefined) return '–';
        return spreadText(i === 0 ? result.milliseconds : result.ratio);
      }),
    ]),
  );
}

/** A Markdown table whose first column is text, the others numbers. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(['---', ...head.slice(1).map(() => '---:')]), ...rows.map(line)].join('\n');
}

/** A median, and the smallest and the largest. */
export const spreadText = ({ min, median, max }: Spread): string =>
  `**${digits(median)}** (${digits(min)}–${digits(max)})`;

/** Three digits that count, and no exponent. */
export const digits = (number: number): string =>
  number.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: false });
