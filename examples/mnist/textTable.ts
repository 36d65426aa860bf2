import Table from 'cli-table3';
import type { ResultTable } from './resultTables.ts';

/** A table as text. */
export function textTable({ title, columns, rows }: ResultTable): string {
  const table = new Table({
    head: [...columns],
    colAligns: columns.map((_, i) => (i === 0 ? 'left' : 'right')),
    colWidths: columns.map((head, i) =>
      widthOf(
        head,
        rows.map((row) => row[i]!),
      ),
    ),
    wordWrap: true,
    style: { head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return `${title}\n${table}`;
}

/** The width at which a head breaks between words, and no cell breaks: a slow machine has long times. */
function widthOf(head: string, cells: readonly string[]): number {
  const padding = 2;
  return padding + Math.max(...[...head.split(' '), ...cells].map(({ length }) => length));
}
