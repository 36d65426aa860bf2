import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choleskyFactor } from '../../../src/ops/float64/choleskyFactor.ts';
import { invertNumbers } from '../../../src/ops/float64/invertNumbers.ts';
import { luPivots } from '../../../src/ops/float64/luPivots.ts';
import { pivotedQrDiagonal } from '../../../src/ops/float64/pivotedQrDiagonal.ts';
import { gram, product, transposed } from '../../../src/ops/float64/product.ts';
import { smithSolve } from '../../../src/ops/float64/smithSolve.ts';
import { rowsOf } from '../../parametrizations/orthogonalDefinition.ts';
import { svd } from '../matrix/svd.ts';

const matrix = (m: number, n: number, seed = 1, scale = 1): Float64Array =>
  Float64Array.from({ length: m * n }, (_, i) => scale * Math.sin(seed + 2.7 * i + i * i));

const identity = (n: number, scale = 1): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? scale : 0));

const sum = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x + b[i]!);

const sizes = fc.integer({ min: 1, max: 9 });

function expectClose(actual: Float64Array | null, wanted: Float64Array, tolerance = 1e-12): void {
  const largest = Math.max(...wanted.map(Math.abs), Number.MIN_VALUE);
  expect(actual!.length).toBe(wanted.length);
  actual!.forEach((x, i) => {
    expect(Math.abs(x - wanted[i]!)).toBeLessThanOrEqual(tolerance * largest);
  });
}

describe('product', () => {
  it('is the sum of products', () => {
    expect([...product(Float64Array.of(1, 2, 3, 4, 5, 6), Float64Array.of(1, 0, 2), 2, 3, 1)]).toEqual([
      7, 16,
    ]);
    expect([...gram(Float64Array.of(1, 2, 3, 4, 5, 6), 2, 3)]).toEqual([17, 22, 27, 22, 29, 36, 27, 36, 45]);
    expect([...transposed(Float64Array.of(1, 2, 3, 4, 5, 6), 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
  });
});

describe('choleskyFactor', () => {
  it('is lower triangular with the product A', () => {
    fc.assert(
      fc.property(sizes, fc.nat(50), fc.constantFrom(1e-20, 1, 1e20), (n, seed, scale) => {
        const A = sum(gram(matrix(n, n, seed, scale), n, n), identity(n, scale ** 2));
        const L = choleskyFactor(A, n)!;
        expectClose(product(L, transposed(L, n, n), n, n, n), A);
        L.forEach((x, i) => {
          if (i % n > Math.floor(i / n)) expect(x).toBe(0);
        });
      }),
    );
  });

  it.each([
    ['zero', [0]],
    ['negative', [-1]],
    ['singular', [1, 1, 1, 1]],
    ['indefinite', [1, 2, 2, 1]],
    ['not a number', [1, 0, Number.NaN, 1]],
    ['infinite', [Number.POSITIVE_INFINITY]],
  ])('is null for a matrix that is %s', (_, numbers) => {
    expect(choleskyFactor(Float64Array.from(numbers), Math.sqrt(numbers.length))).toBe(null);
  });
});

describe('pivotedQrDiagonal', () => {
  it('does not increase, and its product is that of the singular values', () => {
    fc.assert(
      fc.property(sizes, fc.nat(4), fc.nat(50), fc.constantFrom(1e-20, 1, 1e20), (n, more, seed, scale) => {
        const m = n + more;
        const A = matrix(m, n, seed, scale);
        const diagonal = pivotedQrDiagonal(A, m, n);
        const { s } = svd(rowsOf([...A], n));
        const logarithm = (x: ArrayLike<number>): number =>
          Array.from(x).reduce((total, value) => total + Math.log(value), 0);
        expect(diagonal.length).toBe(n);
        expect(Math.abs(logarithm(diagonal) - logarithm(s))).toBeLessThan(1e-6);
        for (let i = 1; i < n; i++) expect(diagonal[i]!).toBeLessThanOrEqual(diagonal[i - 1]! * (1 + 1e-12));
      }),
    );
  });

  it('shows the rank, of tall and wide matrices', () => {
    for (const [m, n] of [
      [12, 7],
      [7, 12],
      [8, 8],
    ] as const) {
      // biome-ignore format: shapes
      const diagonal = pivotedQrDiagonal(product(matrix(m, 3), matrix(3, n, 5), m, 3, n), m, n);
      expect(diagonal.length).toBe(Math.min(m, n));
      expect(diagonal[2]!).toBeGreaterThan(1e-3 * diagonal[0]!);
      expect(diagonal[3]!).toBeLessThan(1e-14 * diagonal[0]!);
    }
    expect([...pivotedQrDiagonal(new Float64Array(6), 2, 3)]).toEqual([0, 0]);
    expect([...pivotedQrDiagonal(Float64Array.of(3, -4), 1, 2)]).toEqual([4]);
  });
});

describe('luPivots', () => {
  it('has the determinant of the product of two matrices', () => {
    fc.assert(
      fc.property(sizes, fc.nat(50), (n, seed) => {
        const [A, B] = [matrix(n, n, seed), matrix(n, n, seed + 7)];
        const [a, b, both] = [A, B, product(A, B, n, n, n)].map((X) => luPivots(X, n));
        expect(both!.sign).toBe(a!.sign * b!.sign);
        expect(Math.abs(both!.logDeterminant - a!.logDeterminant - b!.logDeterminant)).toBeLessThan(1e-8);
      }),
    );
  });

  it('knows the sign of permutations, and singular matrices', () => {
    expect(luPivots(Float64Array.of(0, 1, 1, 0), 2)).toEqual({ smallest: 1, logDeterminant: 0, sign: -1 });
    expect(luPivots(Float64Array.of(0, 1, 0, 0, 0, 1, 1, 0, 0), 3).sign).toBe(1);
    expect(luPivots(Float64Array.of(-2), 1)).toEqual({ smallest: 2, logDeterminant: Math.log(2), sign: -1 });
    const singular = { smallest: 0, logDeterminant: Number.NEGATIVE_INFINITY, sign: 0 };
    expect(luPivots(Float64Array.of(1, 2, 2, 4), 2)).toEqual(singular);
    expect(luPivots(new Float64Array(9), 3)).toEqual(singular);
  });
});

describe('invertNumbers', () => {
  it('times the matrix is the identity', () => {
    fc.assert(
      fc.property(sizes, fc.nat(50), fc.constantFrom(1e-20, 1, 1e20), (n, seed, scale) => {
        const A = matrix(n, n, seed, scale);
        expectClose(product(A, invertNumbers(A, n)!, n, n, n), identity(n), 1e-8);
      }),
    );
  });

  it('exchanges rows where a pivot is zero, and is null for singular matrices', () => {
    expectClose(
      invertNumbers(Float64Array.of(0, 1, 0, 0, 0, 1, 1, 0, 0), 3),
      Float64Array.of(0, 0, 1, 1, 0, 0, 0, 1, 0),
    );
    expect(invertNumbers(Float64Array.of(1, 2, 2, 4), 2)).toBe(null);
    expect(invertNumbers(new Float64Array(4), 2)).toBe(null);
  });
});

describe('smithSolve', () => {
  /** `S − GGᵀ − 0.1·I` with a skew S, which is stable. */
  const stable = (n: number, seed: number, scale = 1): Float64Array => {
    const G = matrix(n, n, seed);
    const skew = G.map((x, i) => 3 * (x - G[(i % n) * n + Math.floor(i / n)]!));
    return sum(
      skew,
      sum(gram(G, n, n), identity(n, 0.1)).map((x) => -x),
    ).map((x) => scale * x);
  };

  it('solves the equation, and the solution is positive definite', () => {
    fc.assert(
      fc.property(sizes, fc.nat(50), fc.constantFrom(1e-20, 1, 1e20), (n, seed, scale) => {
        const A = stable(n, seed, scale);
        const P = smithSolve(A, identity(n), n)!;
        const half = product(P, A, n, n, n);
        expectClose(sum(half, transposed(half, n, n)), identity(n, -1), 1e-8);
        expect(choleskyFactor(P, n)).not.toBe(null);
      }),
    );
  });

  it.each([
    ['zero', [0]],
    ['unstable', [1]],
    ['unstable in one direction', [-1, 0, 0, 1e-3]],
    ['at the boundary', [0, 1, -1, 0]],
    ['at the boundary in one direction', [-1, 0, 0, 0]],
    ['a saddle with equal magnitudes', [1, 0, 0, -1]],
    ['not a number', [Number.NaN]],
  ])('is null for a matrix that is %s', (_, numbers) => {
    const n = Math.sqrt(numbers.length);
    expect(smithSolve(Float64Array.from(numbers), identity(n), n)).toBe(null);
  });

  it('solves the equation of a matrix near the boundary', () => {
    const P = smithSolve(Float64Array.of(-1e-6, 1, -1, -1e-6), identity(2), 2);
    expectClose(P, identity(2, 5e5), 1e-6);
  });
});
