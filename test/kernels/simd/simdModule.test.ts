import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { embedded, embeddedFile } from '../../../scripts/embedWasm.js';

describe('the SIMD module', () => {
  it('is compiled from the sources in assembly/', async () => {
    expect(readFileSync(embeddedFile, 'utf8')).toBe(await embedded());
  });

  it('is a text of a few kilobytes', () => {
    expect(readFileSync(embeddedFile, 'utf8').length).toBeLessThan(8000);
  });
});
