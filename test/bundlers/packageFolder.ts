import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../markdown.ts';

/**
 * Makes a folder in which the package is installed as from a registry: `node_modules/tfjs-parametrize` has `package.json` and the
 * JavaScript of the sources. The folder is in the repository, where other packages are found.
 */
export async function packageFolder(): Promise<{ readonly folder: string; readonly remove: () => void }> {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'package-'));
  const installed = join(folder, 'node_modules/tfjs-parametrize');
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  await compileFolder(join(root, 'src'), join(installed, 'dist'));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** Compiles every file of a folder to JavaScript, as `npm run build` does but for a look at its types. */
async function compileFolder(from: string, to: string): Promise<void> {
  const paths = readdirSync(from, { recursive: true, encoding: 'utf8' });
  const { outputFiles } = await build({
    entryPoints: paths.filter((path) => path.endsWith('.ts')).map((path) => join(from, path)),
    outbase: from,
    outdir: to,
    write: false,
    format: 'esm',
    target: 'es2022',
    tsconfig: join(root, 'tsconfig.json'),
  });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replace(/(from |import |import\()"(\.[^"]*)\.ts"/g, '$1"$2.js"'));
  }
}
