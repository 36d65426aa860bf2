import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { read, root } from './markdown.ts';

const page = read('docs/troubleshooting.md');
const sections = page
  .split('\n## ')
  .find((section) => section.startsWith('The codes'))!
  .split('\n### ')
  .slice(1);

/** The members of the union `ErrorCode` in the sources. */
function codesInSources(): string[] {
  const unions = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(`src/${path}`).match(/export type ErrorCode =([^;]*);/)?.[1])
    .filter((union) => union !== undefined);
  return unions.flatMap((union) => [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code!));
}

describe('docs/troubleshooting.md', () => {
  it('explains every code that an error can have, and no other, in alphabetical order', () => {
    const explained = sections.map((section) => section.match(/^`(\w+)`/)?.[1]);
    expect(explained).toEqual(codesInSources().sort((a, b) => a.localeCompare(b)));
  });

  it.each(sections.map((section) => [section.split('\n')[0]!, section] as const))(
    'tells the meaning, the cause and the remedy of %s',
    (_title, section) => {
      const parts = [...section.matchAll(/^- \*\*(\w+)\*\*: /gm)].map(([, part]) => part);
      expect(parts).toEqual(['Meaning', 'Cause', 'Remedy']);
    },
  );
});
