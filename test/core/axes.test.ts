import { describe, expect, it } from 'vitest';
import { axisIn, resolveDim } from '../../src/core/axes.ts';

describe('axisIn', () => {
  it('counts a negative axis from the end', () => {
    expect([-3, -1, 0, 2].map((axis) => axisIn(axis, 3))).toEqual([0, 2, 0, 2]);
  });

  it('finds none outside of the rank', () => {
    expect([axisIn(3, 3), axisIn(-4, 3), axisIn(0, 0)]).toEqual([undefined, undefined, undefined]);
  });
});

describe('resolveDim', () => {
  it('takes a scalar for a tensor with one axis, as torch does', () => {
    expect([resolveDim('f', 'dim', 0, []), resolveDim('f', 'dim', -1, [])]).toEqual([0, 0]);
  });

  it('names the range where the tensor has no such axis', () => {
    expect(() => resolveDim('f', 'dim', 2, [3, 4])).toThrow(
      'f: dim is 2, but the input has shape [3, 4]. Pass a dim from -2 to 1.',
    );
  });
});
