import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { root } from './markdown.ts';
import { packageFolder } from './packageFolder.ts';

/**
 * What an example prints, compiled under the settings of a `tsconfig.json` and run on the package. esbuild compiles it, as tsx
 * does, but here leaves packages to Node.js: tsx would parse all of tfjs once more.
 */
export async function outputOfExample(main: string, tsconfig = 'test/tsconfig.json'): Promise<string> {
  const { folder, remove } = await packageFolder();
  try {
    const outfile = join(folder, 'main.mjs');
    await build({
      entryPoints: [join(root, 'examples', main)],
      outfile,
      bundle: true,
      packages: 'external',
      external: ['tfjs-parametrize', 'tfjs-parametrize/*'],
      platform: 'node',
      format: 'esm',
      target: 'es2022',
      keepNames: true,
      tsconfig: join(root, tsconfig),
      logLevel: 'error',
    });
    return (await promisify(execFile)(process.execPath, [outfile])).stdout;
  } finally {
    remove();
  }
}
