import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GramSpectrum } from '../../../src/ops/float64/gramSpectrum.ts';

/** The Gram matrix `V·diag(σ²)·Vᵀ` for a product V of random rotations. */
function gram(sigmas: readonly number[], angles: readonly number[]): number[] {
  const n = sigmas.length;
  const G = sigmas.map((sigma, i) => sigmas.map((_, j) => (i === j ? sigma * sigma : 0)));
  for (const [count, angle] of angles.entries()) {
    const [p, q] = [count % n, (count + 1) % n];
    if (p === q) continue;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    for (const row of G) [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!];
    const [a, b] = [[...G[p]!], [...G[q]!]];
    for (let j = 0; j < n; j++) [G[p]![j], G[q]![j]] = [c * a[j]! - s * b[j]!, s * a[j]! + c * b[j]!];
  }
  return G.flat();
}

const sigmas = (n: number) =>
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: n, maxLength: n });
const cases = fc.integer({ min: 1, max: 6 }).chain((n) =>
  fc.record({
    sigmas: sigmas(n),
    angles: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 2 * n, maxLength: 2 * n }),
  }),
);

describe('GramSpectrum', () => {
  it('knows the distance, and finds no singular value below the smallest', () => {
    fc.assert(
      fc.property(cases, ({ sigmas, angles }) => {
        const { distance, smallest } = new GramSpectrum(1, sigmas.length).estimate(gram(sigmas, angles));
        expect(distance).toBeCloseTo(Math.hypot(...sigmas.map((sigma) => sigma ** 2 - 1)), 7);
        expect(smallest).toBeGreaterThan(Math.min(...sigmas) - 1e-6);
      }),
    );
  });

  it('finds the smallest singular value after some estimates', () => {
    fc.assert(
      fc.property(cases, ({ sigmas, angles }) => {
        const G = gram(sigmas, angles);
        const spectrum = new GramSpectrum(1, sigmas.length);
        for (let i = 0; i < 200; i++) spectrum.estimate(G);
        expect(spectrum.estimate(G).smallest).toBeLessThan(Math.min(...sigmas) + 0.1);
      }),
    );
  });

  it('has the largest distance and the smallest value of a batch', () => {
    const spectrum = new GramSpectrum(3, 2);
    const batch = [[1, 1], [0.5, 1], [0.9, 0.9]].flatMap((sigmas) => gram(sigmas, [0.4])); // biome-ignore format: short
    for (let i = 0; i < 20; i++) spectrum.estimate(batch);
    const { distance, smallest } = spectrum.estimate(batch);
    expect(distance).toBeCloseTo(0.75, 10);
    expect(smallest).toBeCloseTo(0.5, 6);
  });

  it('says that an identity has the value 1', () => {
    expect(new GramSpectrum(1, 3).estimate([1, 0, 0, 0, 1, 0, 0, 0, 1])).toEqual({
      distance: 0,
      smallest: 1,
    });
  });
});
