import { catalog } from 'tfjs-parametrize';
import { expect, it } from 'vitest';
import { catalogFigures } from '../scripts/catalogPlots.ts';
import { linkedFiles, read } from './markdown.ts';

const document = read('docs/catalog.md');

/** The names in code in some lines of a text. */
const namesIn = (text: string, lines: RegExp): string[] =>
  [...text.matchAll(lines)].flatMap(([line]) => [...line.matchAll(/`(\w+)`/g)].map(([, name]) => name!));

it('docs/catalog.md has a section for every map of the catalog', () => {
  const described = namesIn(document, /^### .*$/gm);
  expect(Object.keys(catalog).filter((name) => !described.includes(name))).toEqual([]);
});

it('docs/catalog.md has a row for every map of the catalog in its table', () => {
  const [, table] = document.split(/^## All maps$|^!\[/m);
  const listed = namesIn(table!, /^\| `[^|]*\|/gm);
  expect(Object.keys(catalog).filter((name) => !listed.includes(name))).toEqual([]);
});

it('docs/catalog.md shows the figures that the script draws', () => {
  const figures = catalogFigures();
  expect(
    linkedFiles('docs/catalog.md')
      .filter((file) => file.endsWith('.svg'))
      .sort(),
  ).toEqual(
    Object.keys(figures)
      .map((name) => `docs/catalog/${name}`)
      .sort(),
  );
  for (const [name, svg] of Object.entries(figures)) expect(read(`docs/catalog/${name}`), name).toBe(svg);
});
