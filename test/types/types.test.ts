import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { typeErrors } from '../typeErrors.ts';

describe('the types', () => {
  it('let programs that make sense compile, and no others', () => {
    expect(typeErrors(fileURLToPath(new URL('programs.ts', import.meta.url)))).toEqual([]);
  });

  it('find the mistakes in calls on whole models', () => {
    expect(typeErrors(fileURLToPath(new URL('declarative.ts', import.meta.url)))).toEqual([]);
  });
});
