import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programs as programsOf, read, root } from '../markdown.ts';
import { packageFolder } from '../packageFolder.ts';
import { bundlers } from './bundlers.ts';

// What a program prints may not depend on whether it has been bundled: every bundler leaves out what it takes for unused, and
// gives short names to the rest.

const run = promisify(execFile);

const inReadme = programsOf(read('README.md'));
const names = ['readme', 'namespace', 'named'];

/** The constants that leave out the kernels of all backends. */
const withoutKernels = Object.fromEntries(
  ['CPU', 'WASM', 'WEBGL', 'WEBGPU'].map((backend) => [`__TFJS_PARAMETRIZE_${backend}__`, 'false']),
);

/** What only kernels have: a call of shaders for webgpu, a loop of those for webgl, and the begin of the WebAssembly module. */
const ofKernels = [/workgroupBarrier/, /sliceLength; k \+= parts/, /AGFzbQEAAAAB/];

/** The lines in one order: modules that wait run side by side. */
const sorted = (output: string): string => output.split('\n').sort().join('\n');

describe('a program', () => {
  let folder: string;
  let remove: () => void;
  let programs: string[];
  let expected: string[];

  /** What a program prints, in the folder of the file that one of them reads. */
  const outputOf = async (program: string): Promise<string> => {
    const { stdout } = await run(process.execPath, [program], { cwd: folder });
    return program.includes('readme') ? sorted(stdout) : stdout;
  };

  beforeAll(async () => {
    ({ folder, remove } = await packageFolder());
    const sources = join(root, 'test/bundlers/programs');
    const texts: [string, string][] = readdirSync(sources).map((path) => [
      path,
      readFileSync(join(sources, path), 'utf8'),
    ]);
    for (const [i, { code }] of inReadme.entries()) texts.push([`readme${i + 1}.ts`, code]);
    // One program of all, so that a bundler builds them at once.
    texts.push(['readme.ts', inReadme.map((_program, i) => `import './readme${i + 1}.js';\n`).join('')]);
    for (const [path, text] of texts) {
      // Standard decorators, which esbuild lowers.
      const { code } = await transform(text, { loader: 'ts', target: 'es2022', tsconfigRaw: {} });
      writeFileSync(join(folder, path.replace('.ts', '.js')), code.replace('./show.ts', './show.js'));
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    copyFileSync(join(root, 'test/golden/layers/mlp_weight_norm.pt'), join(folder, 'model.pt'));
    programs = names.map((name) => join(folder, `${name}.js`));
    expected = await Promise.all(programs.map(outputOf));
  }, 120_000);

  afterAll(() => remove());

  it('prints the same on the package as it is', () => {
    expect(expected[0]).toBe(sorted(inReadme.map(({ output }) => output).join('')));
    expect(expected.at(-2)).toContain('weight_g and weight_v in a plain module 6.00000 8.00000\n');
    expect(expected.at(-1)).toContain('norms 1.00000 1.00000\n');
  });

  it.each(Object.entries(bundlers))(
    'prints the same after %s, also where its configuration leaves out the kernels of backends',
    async (name, bundle) => {
      const out = join(folder, name.replace(' ', '-'));
      await bundle(programs, out);
      const outputs = await Promise.all(names.map((program) => outputOf(join(out, `${program}.mjs`))));
      expect(outputs).toEqual(expected);

      const small = join(out, 'small');
      await bundle([join(folder, 'namespace.js')], small, withoutKernels);
      const textOf = (path: string): string => readFileSync(join(path, 'namespace.mjs'), 'utf8');
      for (const part of ofKernels) {
        expect(textOf(out)).toMatch(part);
        expect(textOf(small)).not.toMatch(part);
      }
      const lines = (await outputOf(join(small, 'namespace.mjs'))).split('\n');
      const [explanations, others] = [true, false].map((isExplanation) =>
        lines.filter((line) => line.includes('is composed of tfjs operations') === isExplanation),
      );
      expect(others!.join('\n')).toBe(expected[names.indexOf('namespace')]);
      expect(explanations!.length).toBeGreaterThan(0);
    },
  );
});
