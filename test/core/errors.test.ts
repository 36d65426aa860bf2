import { describe, expect, it } from 'vitest';
import { factOf, ParametrizeError, refusal } from '../../src/core/errors.ts';

describe('a ParametrizeError', () => {
  it('makes its message of the function, the fact and the remedy, and has each as a field', () => {
    const error = refusal('OPTION', 'weightNorm', 'dim is 9', 'Pass a dim from 0 to 1.');
    expect(error).toMatchObject({
      name: 'ParametrizeError',
      message: 'weightNorm: dim is 9. Pass a dim from 0 to 1.',
      code: 'OPTION',
      caller: 'weightNorm',
      fact: 'dim is 9',
      remedy: 'Pass a dim from 0 to 1.',
    });
    expect(factOf(error)).toBe('weightNorm: dim is 9');
  });

  it('has no caller and no remedy where there are none', () => {
    const cause = new Error('cause');
    const error = new ParametrizeError('SHAPE', { fact: 'the shapes differ' }, { cause });
    expect(error.message).toBe('the shapes differ.');
    expect(error.cause).toBe(cause);
    expect(error.caller).toBeUndefined();
    expect(error.remedy).toBeUndefined();
    expect(factOf(error)).toBe('the shapes differ');
  });

  it('takes a remedy that begins with a suggestion, which may be empty', () => {
    expect(refusal('OPTION', 'f', 'a', ' Did you mean b? It has: b.').message).toBe(
      'f: a. Did you mean b? It has: b.',
    );
    expect(refusal('OPTION', 'f', 'a', ' It has: b.').remedy).toBe('It has: b.');
    expect(refusal('OPTION', 'f', 'a', '').remedy).toBeUndefined();
  });
});
