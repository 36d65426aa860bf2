import { beforeAll, describe, expect, it } from 'vitest';
import { stateDicts } from './goodFiles.ts';
import { type Outcomes, readMutants } from './readMutants.ts';

// `npm run fuzz` reads a million.
describe('mutants of good files', () => {
  let outcomes: Outcomes;

  beforeAll(() => {
    outcomes = readMutants(5000, 1);
  });

  it('are read, or refused with a coded CheckpointError, and nothing else', () => {
    expect(outcomes.findings).toEqual([]);
  });

  it('are of both kinds, refused for many reasons', () => {
    expect(stateDicts.length).toBeGreaterThan(30);
    expect(outcomes.read).toBeGreaterThan(100);
    expect(Object.keys(outcomes.refused).length).toBeGreaterThan(4);
    expect(outcomes.refused['CORRUPT']).toBeGreaterThan(1000);
  });
});
