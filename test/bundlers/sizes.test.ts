import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { read, root } from '../markdown.ts';

// What a program that uses a part of the package ships, by the table of docs/bundlers.md.

const limits = [...read('docs/bundlers.md').matchAll(/^\| (.*) \| `([\w/:;, ]+)` \| (\d+) \|$/gm)].map(
  ([, title, exports, kilobytes]) => ({
    title: title!,
    program: programOf(exports!),
    limit: 1000 * Number(kilobytes),
  }),
);

describe('the minified size', () => {
  it('has limits for these programs', () => expect(limits).toHaveLength(5));

  it.each(limits)('of $title is within its limit', async ({ program, limit }) => {
    const bytes = await sizesByFile(program);
    const total = [...bytes.values()].reduce((sum, size) => sum + size, 0);
    const largest = [...bytes].sort(([, a], [, b]) => b - a).slice(0, 20);
    expect(
      total,
      `the largest files:\n${largest.map(([file, size]) => `${size} ${file}`).join('\n')}`,
    ).toBeLessThan(limit);
  });

  it('of a registration has no kernels, and of weight normalization none of other maps', async () => {
    const files = async (exports: string) => [...(await sizesByFile(programOf(exports))).keys()].join('\n');
    expect(await files('registerParametrization')).not.toMatch(/src\/(kernels|parametrizations)\//);
    const ofWeightNorm = await files('weightNorm');
    expect(ofWeightNorm).toMatch(/kernels\/weightNorm/);
    expect(ofWeightNorm).not.toMatch(
      /spectralNorm|src\/(checkpoint|decorators|layers|legacy|model)\/|nn\/(containers|recurrent)/,
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

/** The bytes of a program in its bundle, by the file that they are of. */
async function sizesByFile(program: string): Promise<Map<string, number>> {
  const { metafile } = await build({
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
    write: false,
    metafile: true,
  });
  const [output] = Object.values(metafile.outputs);
  const sizes = Object.entries(output!.inputs).map(
    ([file, { bytesInOutput }]) => [file, bytesInOutput] as const,
  );
  return new Map(sizes.filter(([, size]) => size > 0));
}
