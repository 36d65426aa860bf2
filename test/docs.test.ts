import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeBlocks, linkedFiles, read, root } from './markdown.ts';
import { outputOf } from './outputOf.ts';

const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  'examples/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe('the documents', () => {
  it.each(documents)('%s links to files that exist', (path) => {
    expect(linkedFiles(path).filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it.each(documents)('%s has prose of at most 120 columns', (path) => {
    expect(proseIn(read(path)).filter((line) => line.length > 120)).toEqual([]);
  });

  it.each([
    'docs/getting-started.md',
    'docs/common-tasks.md',
    'docs/training.md',
    'docs/writing-a-parametrization.md',
    'docs/nn.md',
    'docs/migrating-from-torch.md',
    'docs/decorators.md',
    'docs/tf-layers.md',
    'docs/checkpoints.md',
  ])('%s is a program that prints what it says', async (path) => {
    const guide = read(path);
    expect(await outputOf(codeBlocks(guide, 'ts'))).toBe(codeBlocks(guide, 'text'));
  });

  it("docs/fine-tuning.md's other adapters are a program that prints what they say", async () => {
    const [, section] = /### Other adapters\n(.*?)\n## /s.exec(read('docs/fine-tuning.md'))!;
    expect(await outputOf(codeBlocks(section!, 'ts'))).toBe(codeBlocks(section!, 'text'));
  });

  it('the files of integers in fine-tuning.md are a program that prints what it says', async () => {
    const section = read('docs/fine-tuning.md').split('### Files of integers')[1]!;
    expect(await outputOf(codeBlocks(section, 'ts'))).toBe(codeBlocks(section, 'text'));
  });

  it('architecture.md lists every note of the sources', () => {
    const defined = sources().flatMap((path) =>
      [...read(path).matchAll(/Note (\[[^\]]+\])/g)].map(([, name]) => `${name} ${path}`),
    );
    const listed = [
      ...read('docs/architecture.md').matchAll(/Note (\[[^\]]+\]) \| \[.*?\]\(\.\.\/(.*?)\)/g),
    ].map(([, name, path]) => `${name} ${path}`);
    expect(listed.sort()).toEqual(defined.sort());
  });
});

/** Returns the lines that are neither code nor rows of a table. */
const proseIn = (document: string): string[] =>
  document
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
    .split('\n')
    .filter((line) => !/^ *\|/.test(line));

const sources = (): string[] =>
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `src/${path.replaceAll('\\', '/')}`);
