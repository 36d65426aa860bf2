import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { build, version } from 'esbuild';
import { root } from './markdown.ts';

const cache = join(root, '.cache');
const prefix = 'package-';

/** A folder that another version of the sources has left behind is removed after this many milliseconds. */
const keptFor = 3_600_000;

/** The folder with the package, made once for each process. */
let installed: Promise<string> | undefined;

/**
 * Makes a folder for programs beside which the package is installed as from a registry: `node_modules/tfjs-parametrize` has
 * `package.json` and the JavaScript of the sources. The folder is in the repository, where other packages are found. All
 * processes share the compiled package, which is named by its contents and stays until the sources change.
 */
export async function packageFolder(): Promise<PackageFolder> {
  installed ??= installPackage();
  const folder = mkdtempSync(join(await installed, 'program-'));
  return {
    folder,
    main: join(await installed, 'node_modules/tfjs-parametrize/dist/cli/main.js'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

interface PackageFolder {
  readonly folder: string;
  /** The program of the command line. */
  readonly main: string;
  readonly remove: () => void;
}

async function installPackage(): Promise<string> {
  const sources = join(root, 'src');
  const paths = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort();
  const hash = createHash('sha256').update(`${version}\n${installPackage}${compileFolder}`);
  for (const path of ['package.json', 'tsconfig.json', ...paths.map((path) => join('src', path))]) {
    hash.update(`\n${path}\n`).update(readFileSync(join(root, path)));
  }
  const folder = join(cache, `${prefix}${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;

  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (!name.startsWith(prefix) || Date.now() - statSync(path).mtimeMs < keptFor) continue;
    rmSync(path, { recursive: true, force: true });
  }
  // Another process may make the same folder: it appears at once, or is there already.
  const made = mkdtempSync(join(cache, prefix));
  const at = join(made, 'node_modules/tfjs-parametrize');
  await compileFolder(sources, paths, join(at, 'dist'));
  cpSync(join(root, 'package.json'), join(at, 'package.json'));
  // Without a package.json here, the programs would belong to the repository, and import the package from its `dist`.
  writeFileSync(join(made, 'package.json'), '{ "private": true, "type": "module" }\n');
  try {
    renameSync(made, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(made, { recursive: true });
  }
  return folder;
}

/** Compiles files of a folder to JavaScript, as `npm run build` does but for a look at their types. */
async function compileFolder(from: string, paths: readonly string[], to: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: paths.map((path) => join(from, path)),
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
