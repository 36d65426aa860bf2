/**
 * Damages a copy of the source in one place at a time and runs the tests on it: each damage must make some test fail.
 *
 *     npm run mutate            all
 *     npm run mutate -- tape    those with 'tape' in the name
 *     npm run mutate -- maps    those of the maps of the catalog
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { catalogMutations } from './catalogMutations.ts';
import { type Mutation, mutations } from './mutations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const TESTS = ['test/parametrize', 'test/parametrizations', 'test/model'];

/** Runs the tests of a tree; true if they pass. */
function passes(tree: string, tests: readonly string[]): boolean {
  const arguments_ = ['run', '--project', 'cpu', '--bail', '1', '--reporter', 'dot', ...tests];
  const { status } = spawnSync(join(tree, 'node_modules/.bin/vitest'), arguments_, {
    cwd: tree,
    stdio: 'ignore',
  });
  return status === 0;
}

/** Applies a mutation, tells whether a test noticed, and takes it back. */
function isNoticed(tree: string, { file, edits, name, tests = TESTS }: Mutation): boolean {
  const path = join(tree, file);
  const source = readFileSync(path, 'utf8');
  let mutated = source;
  for (const [find, replacement] of edits) {
    const places = source.split(find).length - 1;
    if (places !== 1)
      throw new Error(`mutation '${name}': '${find}' stands ${places} times in ${file}, expected once`);
    mutated = mutated.replace(find, () => replacement);
  }
  writeFileSync(path, mutated);
  try {
    return !passes(tree, tests);
  } finally {
    writeFileSync(path, source);
  }
}

const wanted = process.argv[2] ?? '';
const chosen =
  wanted === 'maps'
    ? catalogMutations
    : [...mutations, ...catalogMutations].filter(({ name }) => name.includes(wanted));
const tree = mkdtempSync(join(tmpdir(), 'mutate-'));
try {
  for (const part of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(root, part), join(tree, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  const tests = new Set(chosen.flatMap(({ tests = TESTS }) => tests));
  if (!passes(tree, [...tests])) throw new Error('the tests fail without any mutation');
  const table = new Table({ head: ['law', 'mutation', 'noticed'], style: { head: [], border: [] } });
  let survivors = 0;
  for (const mutation of chosen) {
    const noticed = isNoticed(tree, mutation);
    if (!noticed) survivors++;
    table.push([mutation.law, mutation.name, noticed ? 'yes' : 'NO']);
    console.log(`${noticed ? 'noticed' : 'SURVIVED'}: ${mutation.name}`);
  }
  console.log(table.toString());
  console.log(`${chosen.length - survivors} of ${chosen.length} mutations were noticed`);
  process.exitCode = survivors === 0 ? 0 : 1;
} finally {
  rmSync(tree, { recursive: true, force: true });
}
