import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogMutations } from '../scripts/catalogMutations.ts';
import { mutations } from '../scripts/mutations.ts';
import { catalog } from '../src/index.ts';
import { root } from './markdown.ts';

// `npm run mutate` damages the source and runs the tests. It takes long; this holds its list to the source.
describe('the damages of the source', () => {
  it.each([...mutations, ...catalogMutations].map((one) => [one.name, one] as const))(
    '%s',
    (_, { file, edits }) => {
      const source = readFileSync(join(root, file), 'utf8');
      for (const [find, replacement] of edits) {
        expect(source.split(find)).toHaveLength(2);
        expect(replacement).not.toBe(find);
      }
    },
  );

  it('reach every entry of the catalog', () => {
    const reached = new Set(catalogMutations.map(({ name }) => name.split(':')[0]));
    expect(Object.keys(catalog).filter((entry) => !reached.has(entry))).toEqual([]);
  });
});
