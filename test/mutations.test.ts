import { describe, expect, it } from 'vitest';
import { mutations } from '../scripts/mutations.ts';
import { read } from './markdown.ts';

describe('every mutation', () => {
  it.each(mutations)('finds its texts once: $name', ({ file, edits }) => {
    const source = read(file);
    for (const [find] of edits) expect(source.split(find)).toHaveLength(2);
  });
});
