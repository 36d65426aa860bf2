import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Spectrum } from '../../../src/ops/float64/gramSpectrum.ts';
import { NewtonSchulzSteps } from '../../../src/ops/matrix/newtonSchulzSteps.ts';

/** Follows singular values through the steps. `know` says what is known about them. */
function follow(
  start: readonly number[],
  know: (values: readonly number[], index: number) => Spectrum | null,
  steps = new NewtonSchulzSteps(18),
): { values: number[]; count: number; steps: NewtonSchulzSteps } {
  let values = [...start];
  for (let count = 1; ; count++) {
    const { c, s, isLast } = steps.next(know(values, count));
    values = values.map((x) => c * x * (s - x * x));
    if (isLast) return { values, count, steps };
  }
}

const exact = (values: readonly number[]): Spectrum => ({
  distance: Math.hypot(...values.map((x) => x * x - 1)),
  smallest: Math.min(...values),
});
const farFrom1 = (values: readonly number[]): number => Math.max(...values.map((x) => Math.abs(x - 1)));
const valuesFrom = (min: number) =>
  fc.array(fc.double({ min: Math.log(min), max: 0, noNaN: true }).map(Math.exp), {
    minLength: 1,
    maxLength: 8,
  });

describe('NewtonSchulzSteps', () => {
  it('maps all values above 1e-7 to 1 if nothing is known', () => {
    fc.assert(
      fc.property(valuesFrom(1e-7), (start) => {
        const { values, count, steps } = follow(start, () => null);
        expect(farFrom1(values)).toBeLessThan(1e-6);
        expect(count).toBe(23);
        expect(steps.isComplete).toBe(false);
      }),
    );
  });

  it('maps all values above 1e-7 to 1 if they are known', () => {
    fc.assert(
      fc.property(valuesFrom(1e-7), (start) => {
        const { values, steps } = follow(start, exact);
        expect(steps.isComplete).toBe(true);
        expect(farFrom1(values)).toBeLessThan(1e-6);
      }),
    );
  });

  it('maps them to 1 also if the estimates are wrong until the other values are near 1', () => {
    fc.assert(
      fc.property(valuesFrom(0.5), fc.double({ min: 1e-7, max: 0.5, noNaN: true }), (others, small) => {
        const { values, steps } = follow([...others, small], (values) => {
          const known = exact(values);
          const isHidden = farFrom1(values.slice(0, -1)) > 0.1;
          return { ...known, smallest: isHidden ? Math.min(...values.slice(0, -1)) : known.smallest };
        });
        expect(steps.isComplete).toBe(true);
        expect(farFrom1(values)).toBeLessThan(1e-6);
      }),
    );
  });

  it('makes one step for orthogonal matrices, and few for those that are nearly so', () => {
    expect(follow([1, 1], exact).count).toBe(1);
    expect(follow([0.7, 1], exact).count).toBeLessThan(6);
    expect(follow([1e-3, 1], exact).count).toBeLessThan(14);
  });

  it('ends without being complete if a value is zero', () => {
    const { values, count, steps } = follow([0, 1, 0.3], exact);
    expect(steps.isComplete).toBe(false);
    expect(values[0]).toBe(0);
    expect(values[1]).toBeCloseTo(1, 6);
    expect(count).toBe(18 + 9);
  });

  it('never maps a value above 1', () => {
    fc.assert(
      fc.property(valuesFrom(1e-9), (start) => {
        follow(start, (values) => {
          expect(Math.max(...values)).toBeLessThan(1 + 1e-12);
          return exact(values);
        });
      }),
    );
  });
});
