/**
 * Bundles the package into single files, for pages that import it from a CDN or a folder without a build of their own.
 *
 *     npm run build:bundle
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));

// Decorators are left out: they need a compiler, and so a build.
const entries = ['index', 'nn/index', 'checkpoint/index', 'finetune/index'];

/** Each file and the entries whose exports it has; tfjs is left outside. */
const bundles: Readonly<Record<string, readonly string[]>> = {
  'tfjs-parametrize.min': entries,
  'tfjs-parametrize-layers.min': [...entries, 'layers/index'],
};

const programOf = (paths: readonly string[], extension: string): string =>
  [
    ...paths.map((path) => `export * from './${path}.${extension}';`),
    // Two of its functions have the names of others.
    `export * as legacy from './legacy/index.${extension}';`,
    '',
  ].join('\n');

/** Writes the single files into a folder, and their types, which lead to those that `tsc` writes there. */
export async function bundle(out: string): Promise<void> {
  mkdirSync(out, { recursive: true });
  for (const [name, paths] of Object.entries(bundles)) {
    await build({
      stdin: { contents: programOf(paths, 'ts'), resolveDir: join(root, 'src'), loader: 'ts' },
      outfile: join(out, `${name}.js`),
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      target: 'es2022',
      external: ['@tensorflow/*', 'node:*'],
      tsconfig: join(root, 'tsconfig.json'),
      legalComments: 'inline',
      logLevel: 'error',
    });
    writeFileSync(join(out, `${name}.d.ts`), programOf(paths, 'js'));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(join(root, 'dist'));
