import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { read, root } from './markdown.ts';

describe('the table of features', () => {
  const rows = read('docs/features.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (---|capability)/.test(line))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    );

  it('has rows', () => {
    expect(rows.length).toBeGreaterThan(50);
  });

  it.each(rows.map((cells) => [cells[0]!, cells.at(-2)!, cells.at(-1)!]))(
    'names a test for "%s", unless the answer is no',
    (_, here, shown) => {
      const tests = [...shown.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+)\)/g)];
      expect(tests.length > 0).toBe(here !== 'no');
      for (const [, title, path] of tests) {
        expect(existsSync(join(root, path!)), path).toBe(true);
        expect(read(path!)).toContain(title);
      }
    },
  );
});
