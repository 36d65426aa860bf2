import { describe, expect, it } from 'vitest';
import { runProgram } from './programs/runProgram.ts';
import { performed } from './programs/world.ts';

// `npm run programs` runs ten thousand of them.

describe('random programs on a module of two layers', () => {
  it.each([
    ['zeros under spectral norm, in gradients of gradients', [200890, 305947, 307370, 308307]],
    ['a singular value of zero of another matrix', [606501]],
    ['exponentials of matrices with large norms', [204041, 303133, 308646]],
    ['a singular value that is what remains of terms that cancel out', [205461, 406510]],
  ])('have them with %s', (_, seeds) => {
    for (const seed of seeds) expect(runProgram(seed, false)).toBe(null);
  });

  it('have the gradient from either side where an edit puts a norm on a limit', () => {
    for (const seed of [21659, 22011]) expect(runProgram(seed)).toBe(null);
  });

  for (let first = 1; first <= 60; first += 10) {
    it(`have the values, gradients and training of an uncached reference: seeds from ${first} on`, () => {
      for (let seed = first; seed < first + 10; seed++) expect(runProgram(seed, false)).toBe(null);
    });
  }

  it('perform every operation of the declarative layer', () => {
    performed.clear();
    for (let seed = 1000; seed < 1090; seed++) expect(runProgram(seed)).toBe(null);
    const operations = 'rules undo applyRecipe makeAgain skip'.split(' ');
    operations.push('edit with a compared value');
    for (const edit of ['insert', 'replace', 'drop', 'reorder']) {
      operations.push(`${edit}, keep value`, `${edit}, keep originals`);
    }
    expect(operations.filter((operation) => !performed.has(operation))).toEqual([]);
  });
});
