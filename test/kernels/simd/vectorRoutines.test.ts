import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simdRoutines } from '../../../src/kernels/simd/simdRoutines.ts';
import { plainVectors, simdVectors } from '../../../src/kernels/simd/vectorRoutines.ts';

// Three arrays of the same length in one memory: addresses for SIMD, views for plain JavaScript.

const length = 64;
const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
const simd = simdVectors(simdRoutines(memory));
const addresses = [0, 4 * length, 8 * length] as const;
const [x, y, out] = addresses.map((address) => new Float32Array(memory.buffer, address, length)) as [
  Float32Array,
  Float32Array,
  Float32Array,
];

const fill = (seed: number): void => {
  for (let i = 0; i < length; i++) [x[i], y[i], out[i]] = [Math.sin(seed + i), Math.cos(seed * i), 9];
};

const offset = fc.integer({ min: 0, max: 20 });
const problems = fc.record({
  seed: fc.integer({ min: 0, max: 1000 }),
  offsets: fc.tuple(offset, offset, offset),
  n: fc.integer({ min: 0, max: length - 20 }),
});

describe('the vector routines', () => {
  it('sum up the same products from any offset, in plain JavaScript and with SIMD', () => {
    fc.assert(
      fc.property(problems, ({ seed, offsets: [p, q], n }) => {
        fill(seed);
        let sum = 0;
        for (let i = 0; i < n; i++) sum += x[p + i]! * y[q + i]!;
        expect(plainVectors.dot(x, p, y, q, n)).toBeCloseTo(sum, 10);
        expect(simd.dot(addresses[0], p, addresses[1], q, n)).toBeCloseTo(sum, 4);
      }),
    );
  });

  it('combine the same numbers from any offset, and write no others', () => {
    fc.assert(
      fc.property(problems, ({ seed, offsets: [p, q, r], n }) => {
        fill(seed);
        plainVectors.combine(x, p, y, q, out, r, n, 3, 0.5);
        const plain = [...out];
        fill(seed);
        simd.combine(addresses[0], p, addresses[1], q, addresses[2], r, n, 3, 0.5);
        plain.forEach((value, i) => {
          const isOutside = i < r || i >= r + n;
          expect(value).toBeCloseTo(isOutside ? 9 : 3 * (x[p + i - r]! - 0.5 * y[q + i - r]!), 5);
          expect(out[i]).toBeCloseTo(value, 5);
        });
      }),
    );
  });

  it('scale the first n numbers', () => {
    fill(1);
    plainVectors.scale(x, out, 5, 2);
    const plain = [...out];
    fill(1);
    simd.scale(addresses[0], addresses[2], 5, 2);
    expect([...out]).toEqual(plain);
    expect(plain.slice(4, 6)).toEqual([Math.fround(2 * x[4]!), 9]);
  });
});
