import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import * as finetune from '../../src/finetune/index.ts';
import * as root from '../../src/index.ts';
import * as legacy from '../../src/legacy/index.ts';
import { root as folder, read } from '../markdown.ts';

// The tables of docs/torch-parity.md against the exports and the titles of the tests, so that neither can go its own way.

const document = 'docs/torch-parity.md';

/** The cells of the tables of a section, without their headers. */
function rows(section: string): string[][] {
  const [, text] = read(document).split(new RegExp(`^## ${section}$`, 'm'));
  const lines = (text!.split(/^## /m)[0] as string).split('\n');
  return lines
    .filter((line, i) => line.startsWith('|') && !/^\| ---/.test(line) && !/^\| ---/.test(lines[i + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

/** The test files that a cell links to, as paths in the repository. */
const linked = (cell: string): string[] =>
  [...cell.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => join(dirname(document), target!));

/** The title of a test and what fills its placeholders: every string of its file that names a behaviour or trap. */
function namesIn(path: string): Set<string> {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest);
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) {
      for (const [name] of node.text.matchAll(/\btorch#\d+\b|\bT\d+(?=[:,)])/g)) names.add(name);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

const testFiles = readdirSync(join(folder, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts') && !path.endsWith('parityTable.test.ts'))
  .map((path) => `test/${path.replaceAll('\\', '/')}`);

const titles = new Map(testFiles.map((path) => [path, namesIn(path)]));

/** Expects a table to have these names in this order, and to link to exactly the files whose titles have them. */
function expectTable(table: readonly string[][], names: readonly string[]): void {
  expect(table.map(([number]) => number)).toEqual(names.map((name) => name.replace('torch#', '')));
  table.forEach(([, , here, tests], i) => {
    const files = linked(tests!);
    expect(
      files.filter((file) => !existsSync(join(folder, file))),
      names[i],
    ).toEqual([]);
    const showing = testFiles.filter((path) => titles.get(path)!.has(names[i]!));
    expect([...files].sort(), `the tests of ${names[i]}`).toEqual(showing.sort());
    if (here!.startsWith('no counterpart: ')) expect(files, names[i]).toEqual([]);
    else expect(files.length, `the number of tests of ${names[i]}`).toBeGreaterThan(0);
  });
}

const count = (length: number, prefix: string): string[] =>
  Array.from({ length }, (_, i) => `${prefix}${i + 1}`);

describe('torch-parity.md', () => {
  const behaviours = count(102, 'torch#');
  const traps = count(18, 'T');

  it('has a row for each of the 102 behaviours, with the tests that show it', () => {
    const table = rows('Behaviours');
    expectTable(table, behaviours);
    for (const [number, , here] of table) expect(here, number).toMatch(/^(same|differs|no counterpart)\b/);
  });

  it('has a row for each trap, with the tests that show what happens here', () => {
    expectTable(rows('Traps'), traps);
  });

  it('knows every number that the title of a test has', () => {
    const known = new Set([...behaviours, ...traps]);
    const used = [...titles].flatMap(([path, names]) => [...names].map((name) => `${name} in ${path}`));
    expect(used.filter((use) => !known.has(use.split(' ')[0]!))).toEqual([]);
    expect(used.length).toBeGreaterThan(known.size);
  });

  it('names exports and methods that exist', () => {
    const names = rows('Names').flatMap(([, here]) => [...here!.matchAll(/`([\w.]+)`/g)]);
    expect(names.length).toBeGreaterThan(40);
    const missing = names.map(([, name]) => name!).filter((name) => !exists(name));
    expect(missing).toEqual([]);
  });

  it('names codes of errors that exist', () => {
    const defined = read('src/core/errors.ts').match(/export type ErrorCode =([^;]+);/)![1]!;
    const codes = new Set([...defined.matchAll(/'(\w+)'/g)].map(([, code]) => code!));
    const [, errors] = read(document).split(/^## Errors$/m);
    const named = [...errors!.matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(([, code]) => code!);
    expect(named.filter((code) => !codes.has(code))).toEqual([]);
    expect(named.length).toBeGreaterThan(30);
  });
});

/** Whether a name of the tables is an export, or a method of a class that is one. */
function exists(path: string): boolean {
  const [first, ...rest] = path.split('.');
  let value: unknown = { legacy, finetune }[first!] ?? (root as Record<string, unknown>)[first!];
  // Types leave nothing behind at run time.
  if (path === 'ParametrizationList') return read('src/index.ts').includes(`type ${path},`);
  for (const name of rest) {
    const prototype: unknown = (value as { prototype?: unknown } | undefined)?.prototype;
    value = (value as Record<string, unknown> | undefined)?.[name] ?? (prototype as never)?.[name];
  }
  return value !== undefined;
}
