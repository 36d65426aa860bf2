import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { read, root } from '../markdown.ts';

// What a program that uses a part of the package ships, by the table of docs/bundlers.md.

const guide = read('docs/bundlers.md');

const limits = [...guide.matchAll(/^\| (.*) \| `([\w/:;, ]+)` \| (\d+) \|$/gm)].map(
  ([, title, exports, kilobytes]) => ({
    title: title!,
    program: programOf(exports!),
    limit: 1000 * Number(kilobytes),
  }),
);

/** Weight normalization with the kernels of one backend. */
const limitsOfBackends = [...guide.matchAll(/^\| `(cpu|wasm|webgl|webgpu)` \| (\d+) \|$/gm)].map(
  ([, backend, kilobytes]) => ({ backend: backend!, limit: 1000 * Number(kilobytes) }),
);

describe('the minified size', () => {
  it('has limits for these programs and backends', () => {
    expect(limits).toHaveLength(5);
    expect(limitsOfBackends).toHaveLength(4);
  });

  it.each(limits)('of $title is within its limit', async ({ program, limit }) => {
    const bytes = await sizesByFile(program);
    const total = sum(bytes);
    const largest = [...bytes].sort(([, a], [, b]) => b - a).slice(0, 20);
    expect(
      total,
      `the largest files:\n${largest.map(([file, size]) => `${size} ${file}`).join('\n')}`,
    ).toBeLessThan(limit);
  });

  it.each(limitsOfBackends)(
    'of weight normalization with the kernels for $backend alone is within its limit',
    async ({ backend, limit }) => {
      const left = limitsOfBackends.filter((other) => other.backend !== backend);
      const define = left.map((other) => [`__TFJS_PARAMETRIZE_${other.backend.toUpperCase()}__`, 'false']);
      const bytes = await sizesByFile(
        programOf('registerParametrization, weightNorm'),
        Object.fromEntries(define),
      );
      expect(sum(bytes)).toBeLessThan(limit);
      const kernels = [...bytes.keys()].filter((file) =>
        /kernels\/.*\/(cpu|wasm|webgl|webgpu)\.ts$/.test(file),
      );
      expect(kernels).toEqual([`src/kernels/weightNorm/${backend}.ts`]);
    },
  );

  it('without any kernels is within the limit in the text, which agrees with the table', async () => {
    const text = /weight normalization has at most (\d+) KB, and a registration alone at most (\d+) KB/;
    const [, without, registration] = text.exec(guide)!.map(Number);
    const define = limitsOfBackends.map(({ backend }) => [
      `__TFJS_PARAMETRIZE_${backend.toUpperCase()}__`,
      'false',
    ]);
    const bytes = await sizesByFile(
      programOf('registerParametrization, weightNorm'),
      Object.fromEntries(define),
    );
    expect(sum(bytes)).toBeLessThan(1000 * without!);
    expect(1000 * registration!).toBe(limits[0]!.limit);
  });

  it('of a registration has no kernels, and of weight normalization none of other maps', async () => {
    const files = async (exports: string) => [...(await sizesByFile(programOf(exports))).keys()].join('\n');
    expect(await files('registerParametrization')).not.toMatch(/src\/(kernels|parametrizations)\//);
    const ofWeightNorm = await files('weightNorm');
    expect(ofWeightNorm).toMatch(/kernels\/weightNorm/);
    expect(ofWeightNorm).not.toMatch(
      /(kernels|parametrizations)\/spectralNorm|src\/(checkpoint|decorators|layers|legacy|model)\/|nn\/(containers|recurrent)/,
    );
  });
});

/** The program that exports names of entries: `index: a, b; nn/index: c`. */
function programOf(exports: string): string {
  return exports
    .split('; ')
    .map((part) => {
      const [names, entry = 'index'] = part.split(': ').reverse();
      return `export { ${names} } from './${entry}.ts';`;
    })
    .join('\n');
}

/**
 * The bytes that a page fetches to start a program, by the file that they are of: of one file, or of the first of several where
 * that is less, because the program imports parts of it later.
 */
async function sizesByFile(
  program: string,
  define: Record<string, string> = {},
): Promise<Map<string, number>> {
  const [whole, first] = await Promise.all([fetched(program, define, false), fetched(program, define, true)]);
  return sum(whole) < sum(first) ? whole : first;
}

const sum = (sizes: ReadonlyMap<string, number>): number =>
  [...sizes.values()].reduce((total, size) => total + size, 0);

async function fetched(
  program: string,
  define: Record<string, string>,
  splitting: boolean,
): Promise<Map<string, number>> {
  const {
    metafile: { outputs },
  } = await build({
    stdin: { contents: program, resolveDir: join(root, 'src'), loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    tsconfig: join(root, 'tsconfig.json'),
    external: ['@tensorflow/*', 'node:*'],
    define,
    splitting,
    outdir: root,
    write: false,
    metafile: true,
  });
  const paths = new Set([Object.keys(outputs).find((path) => outputs[path]!.entryPoint === '<stdin>')!]);
  for (const path of paths) {
    for (const { path: imported, kind } of outputs[path]!.imports) {
      if (kind === 'import-statement' && imported in outputs) paths.add(imported);
    }
  }
  const sizes = new Map<string, number>();
  for (const path of paths) {
    for (const [file, { bytesInOutput }] of Object.entries(outputs[path]!.inputs)) {
      if (bytesInOutput > 0) sizes.set(file, (sizes.get(file) ?? 0) + bytesInOutput);
    }
  }
  return sizes;
}
