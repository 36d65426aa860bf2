import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { build as buildAll } from 'esbuild';
import { catalog } from 'tfjs-parametrize';
import { build, type Rollup } from 'vite';
import { describe, expect, it } from 'vitest';

// By `sideEffects` in package.json a bundler may leave out every file none of whose exports is used, but for those that are
// named there.

const root = fileURLToPath(new URL('../', import.meta.url));

type Entry = typeof import('tfjs-parametrize');

describe('a bundle', () => {
  it('of registration and clone copies chains', async () => {
    const { clone, isParametrized, pure, registerParametrization } = await evaluate(
      await bundle(['clone', 'isParametrized', 'pure', 'registerParametrization']),
    );
    const host = { weight: tf.tidy(() => tf.variable(tf.tensor1d([1, 2]))) };
    registerParametrization(host, 'weight', pure(tf.exp));
    const copy = clone(host);
    try {
      expect(isParametrized(copy, 'weight')).toBe(true);
      expect(copy.weight).toBeAllClose(host.weight);
      expect(copy.weight).not.toBe(host.weight);
    } finally {
      for (const { parametrizations } of [host, copy] as unknown as { parametrizations: Disposable }[]) {
        parametrizations.dispose();
      }
    }
  });

  it('of nn alone reads state dicts in every key format', async () => {
    const { nn } = await evaluate(await bundle(['nn']));
    const layer = new nn.Linear(2, 1, { bias: false });
    tf.tidy(() => {
      layer.loadStateDict({ weight_g: tf.tensor2d([[10]]), weight_v: tf.tensor2d([[3, 4]]) });
      expect(layer.weight).toBeAllClose([6, 8]);
    });
    layer.dispose();
  });

  it('of everything but decorators leaves reflect-metadata out', async () => {
    const text = /reflect-metadata|Reflect\.(define|get(Own)?)Metadata/;
    for (const index of ['index', 'nn', 'legacy/index', 'layers/index', 'checkpoint/index']) {
      expect(await bundleOf(`export * from '../../src/${index}.ts';`), index).not.toMatch(text);
    }
    expect(await bundleOf("export * from '../../src/decorators/index.ts';")).toMatch(text);
  });

  it('of decorators brings reflect-metadata and the checks with it', async () => {
    const code = await bundleOf(`
      import { parametrized, parametrizationsOf } from '../../src/decorators/index.ts';
      import { Module } from '../../src/nn/index.ts';
      const nothing = (host: object, name: string) => host;
      class Net extends Module {
        forward() {}
      }
      (parametrized(nothing) as (target: object, field: string) => void)(Net.prototype, 'weight');
      export const declared = String(parametrizationsOf(Net));
      const bypassed = Object.defineProperty(new Net(), 'weight', { value: 1 });
      export let message = '';
      try {
        bypassed.call();
      } catch (error) {
        message = (error as Error).message;
      }
    `);
    const { declared, message } = await evaluate<{ declared: string; message: string }>(code);
    expect(declared).toBe('@parametrized(nothing) weight');
    expect(message).toContain('Net.weight is not parametrized');
  });

  it('of one map of the catalog contains no other map', async () => {
    const names = Object.keys(catalog);
    const bundles = await bundlesOfOne(names);
    expect([...bundles.keys()].sort()).toEqual([...names].sort());
    for (const [name, { code, files }] of bundles) {
      const defined = [...code.matchAll(/defineParametrization\(\{\s*name: "(\w+)"/g)].map(
        ([, found]) => found,
      );
      expect(defined, name).toEqual([name]);
      const others = names
        .filter((other) => other !== name)
        .map((other) => `src/parametrizations/${other}.ts`);
      expect(
        files.filter((file) => others.includes(file)),
        name,
      ).toEqual([]);
    }
  });

  it('of one small function leaves the rest out', async () => {
    // It looks behind proxies and into the registry: 1081 bytes, and a little room.
    expect((await bundle(['isParametrized'])).length).toBeLessThan(1120);
  });
});

interface Disposable {
  dispose(): void;
}

/** Bundles some exports of the package as a user's program would, with tfjs left outside. */
const bundle = (names: readonly (keyof Entry)[]): Promise<string> =>
  bundleOf(`export { ${names.join(', ')} } from '../../src/index.ts';`);

/** Bundles a program, with tfjs left outside. */
async function bundleOf(program: string): Promise<string> {
  return inFolder(async (folder) => {
    const entry = join(folder, 'entry.ts');
    writeFileSync(entry, program);
    const result = await build({
      root,
      configFile: false,
      logLevel: 'error',
      build: {
        write: false,
        minify: false,
        target: 'node20',
        lib: { entry, formats: ['es'] },
        rollupOptions: { external: /^@tensorflow\// },
      },
    });
    return (result as Rollup.RollupOutput[])[0]!.output[0].code;
  });
}

/** A bundle and the files that it has code of. */
interface OneBundle {
  readonly code: string;
  readonly files: readonly string[];
}

/** Bundles each of these exports of the package alone, with tfjs left outside. */
async function bundlesOfOne(names: readonly string[]): Promise<Map<string, OneBundle>> {
  const { outputFiles, metafile } = await buildAll({
    entryPoints: Object.fromEntries(names.map((name) => [name, `export:${name}`])),
    absWorkingDir: root,
    outdir: join(root, '.cache'),
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['@tensorflow/*', 'node:*'],
    logLevel: 'error',
    plugins: [
      {
        name: 'exports of the package',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^export:/ }, ({ path }) => ({
            path: path.replace('export:', ''),
            namespace: 'export',
          }));
          onLoad({ filter: /.*/, namespace: 'export' }, ({ path }) => ({
            contents: `export { ${path} } from './src/index.ts';`,
            resolveDir: root,
          }));
        },
      },
    ],
  });
  return new Map(
    outputFiles.map(({ path, text }) => {
      const { inputs } = metafile.outputs[`.cache/${basename(path)}`]!;
      const files = Object.keys(inputs).filter((file) => inputs[file]!.bytesInOutput > 0);
      return [basename(path, '.js'), { code: text, files }];
    }),
  );
}

async function evaluate<T = Entry>(code: string): Promise<T> {
  return inFolder(async (folder) => {
    const file = join(folder, 'bundle.mjs');
    writeFileSync(file, code);
    return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as T;
  });
}

/** Runs `work` with a folder of its own inside the repository, where packages are found. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'bundle-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
