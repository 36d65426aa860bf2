import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks, read, root } from '../markdown.ts';
import { bundlers } from './bundlers.ts';
import { packageFolder } from './packageFolder.ts';

// What a program prints may not depend on whether it has been bundled: every bundler leaves out what it takes for unused, and
// gives short names to the rest.

const run = promisify(execFile);

/** What a program prints. */
const outputOf = async (program: string): Promise<string> => (await run(process.execPath, [program])).stdout;

describe('a program', () => {
  let folder: string;
  let remove: () => void;
  let programs: string[];
  let expected: string[];

  beforeAll(async () => {
    ({ folder, remove } = await packageFolder());
    const sources = join(root, 'test/bundlers/programs');
    const texts: [string, string][] = readdirSync(sources).map((path) => [
      path,
      readFileSync(join(sources, path), 'utf8'),
    ]);
    texts.push(['readme.ts', codeBlocks(read('README.md'), 'ts')]);
    for (const [path, text] of texts) {
      // Standard decorators, which esbuild lowers.
      const { code } = await transform(text, { loader: 'ts', target: 'es2022', tsconfigRaw: {} });
      writeFileSync(join(folder, path.replace('.ts', '.js')), code.replace('./show.ts', './show.js'));
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    programs = ['readme', 'namespace', 'named'].map((name) => join(folder, `${name}.js`));
    expected = await Promise.all(programs.map(outputOf));
  }, 120_000);

  afterAll(() => remove());

  it('prints the same on the package as it is', () => {
    expect(expected[0]).toBe(codeBlocks(read('README.md'), 'text'));
    expect(expected[1]).toContain('weight_g and weight_v in a plain module 6.00000 8.00000\n');
    expect(expected[2]).toContain('norms 1.00000 1.00000\n');
  });

  it.each(Object.entries(bundlers))('prints the same after %s', async (name, bundle) => {
    const out = join(folder, name.replace(' ', '-'));
    await bundle(programs, out);
    const outputs = await Promise.all(
      ['readme', 'namespace', 'named'].map((program) => outputOf(join(out, `${program}.mjs`))),
    );
    expect(outputs).toEqual(expected);
  });
});
