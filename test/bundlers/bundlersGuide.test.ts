import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks, read } from '../markdown.ts';
import { packageFolder } from '../packageFolder.ts';
import { viteBuild } from './bundlers.ts';

// The configurations and programs of docs/bundlers.md, run.

const run = promisify(execFile);
const guide = read('docs/bundlers.md');
const decorators = guide.slice(guide.indexOf('\n## Decorators'), guide.indexOf('\n## Web workers'));

describe('docs/bundlers.md', () => {
  let folder: string;
  let remove: () => void;

  beforeAll(async () => {
    ({ folder, remove } = await packageFolder());
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  }, 120_000);

  afterAll(() => remove());

  const outputOf = async (program: string): Promise<string> =>
    (await run(process.execPath, [program])).stdout;

  it('has a CommonJS program that prints what it says', async () => {
    const program = join(folder, 'program.cjs');
    writeFileSync(program, codeBlocks(guide, 'cjs'));
    expect(await outputOf(program)).toBe(codeBlocks(guide, 'text'));
  });

  describe('makes Vite 8 compile decorators', () => {
    const program = `
      import * as tf from '@tensorflow/tfjs';
      import { describe, nn, Symmetric, weightNorm } from 'tfjs-parametrize';
      import { parametrized } from 'tfjs-parametrize/decorators';
      class Block extends nn.Module {
        @parametrized(() => new Symmetric()) metric: tf.Tensor = nn.parameter(() => tf.ones([4, 4]));
        @parametrized(weightNorm, { dim: 0 }) input = new nn.Linear(4, 4);
        forward(): void {}
      }
      for (const { tensor, chain, } of describe(new Block()).rows) console.log(tensor, String(chain));
    `;
    const expected = 'metric Symmetric()\nweight WeightNorm(dim=0)\n';

    const outputWith = async (name: string, files: Readonly<Record<string, string>>): Promise<string> => {
      const project = join(folder, name);
      mkdirSync(project);
      writeFileSync(join(project, 'program.ts'), program);
      for (const [path, text] of Object.entries(files)) writeFileSync(join(project, path), text);
      const config = 'vite.config.js' in files ? join(project, 'vite.config.js') : false;
      await viteBuild('vite8', [join(project, 'program.ts')], join(project, 'out'), config);
      return outputOf(join(project, 'out/program.mjs'));
    };

    it('that are standard, by esbuild in front of it', async () => {
      expect(await outputWith('standard', { 'vite.config.js': codeBlocks(decorators, 'js') })).toBe(expected);
    });

    it('that are legacy, by the settings of TypeScript', async () => {
      expect(await outputWith('legacy', { 'tsconfig.json': codeBlocks(decorators, 'json') })).toBe(expected);
    });

    // Should this fail with a newer Vite, the guide can become shorter.
    it('that are standard only so: it leaves them as they are, or leaves them out', async () => {
      const target = (name: string) => ({
        'tsconfig.json': JSON.stringify({ compilerOptions: { target: name } }),
      });
      await expect(outputWith('defined', target('es2022'))).rejects.toThrow(/SyntaxError/);
      expect(await outputWith('assigned', target('es2021'))).toBe('');
    });
  });
});
