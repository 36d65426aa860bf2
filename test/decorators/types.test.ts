import { fileURLToPath } from 'node:url';
import type ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { typeErrors } from '../typeErrors.ts';

describe('the types of decorators', () => {
  it.each<[string, ts.CompilerOptions]>([
    ['standard', {}],
    ['legacy, assigned', { experimentalDecorators: true, useDefineForClassFields: false }],
    ['legacy, defined', { experimentalDecorators: true, useDefineForClassFields: true }],
    [
      'legacy with types',
      { experimentalDecorators: true, emitDecoratorMetadata: true, useDefineForClassFields: false },
    ],
  ])('let declarations that make sense compile, and no others: %s', (_, settings) => {
    const file = fileURLToPath(new URL('programs/types.ts', import.meta.url));
    expect(typeErrors(file, settings)).toEqual([]);
  });
});
