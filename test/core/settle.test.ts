import { describe, expect, it } from 'vitest';
import { settle } from '../../src/core/settle.ts';

describe('settle', () => {
  it('gives the result of a function, which is at its end by then', () => {
    const ends: unknown[] = [];
    expect(
      settle(
        () => 3,
        (result) => ends.push(result),
      ),
    ).toBe(3);
    expect(ends).toEqual([3]);
  });

  it('waits for a promise', async () => {
    const ends: unknown[] = [];
    const result = settle(
      () => Promise.resolve(4),
      (value) => ends.push(value),
    );
    expect(ends).toEqual([]);
    expect(await result).toBe(4);
    expect(ends).toEqual([4]);
  });

  it('runs the end once where the function throws', () => {
    const ends: unknown[] = [];
    const fail = (): void => {
      throw new Error('no');
    };
    expect(() => settle(fail, (result) => ends.push(result))).toThrow('no');
    expect(ends).toEqual([undefined]);
  });

  it('runs the end once where the promise is rejected', async () => {
    const ends: unknown[] = [];
    const result = settle(
      () => Promise.reject(new Error('no')),
      (value) => ends.push(value),
    );
    await expect(result).rejects.toThrow('no');
    expect(ends).toEqual([undefined]);
  });
});
