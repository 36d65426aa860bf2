import { describe, expect, it } from 'vitest';
import { runProgram } from './programs/runProgram.ts';

// `npm run programs` runs ten thousand of them.

describe('random programs on a module of two layers', () => {
  for (let first = 1; first <= 60; first += 10) {
    it(`have the values, gradients and training of an uncached reference: seeds from ${first} on`, () => {
      for (let seed = first; seed < first + 10; seed++) expect(runProgram(seed)).toBe(null);
    });
  }
});
