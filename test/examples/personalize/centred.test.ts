import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { centred } from '../../../examples/personalize/page/centred.ts';
import { digitFile, digitsIn } from '../../../examples/personalize/page/digitFile.ts';

const side = 280;

/** A bar of ink. */
function bar(left: number, top: number, width: number, height: number): Float32Array {
  return Float32Array.from({ length: side ** 2 }, (_, i) => {
    const [x, y] = [(i % side) - left, Math.floor(i / side) - top];
    return x >= 0 && x < width && y >= 0 && y < height ? 1 : 0;
  });
}

describe('centred', () => {
  it('is empty for an empty drawing', () => {
    expect(centred(bar(0, 0, 0, 0), side)).toEqual(new Float32Array(784));
  });

  it('scales the longer side to 20 pixels around the middle, wherever the drawing is', () => {
    const middle = Float32Array.from({ length: 784 }, (_, i) => {
      const [x, y] = [i % 28, Math.floor(i / 28)];
      return x >= 12 && x < 16 && y >= 4 && y < 24 ? 1 : 0;
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 240 }), fc.integer({ min: 0, max: 80 }), (left, top) => {
        expect(centred(bar(left, top, 40, 200), side)).toEqual(middle);
      }),
      { numRuns: 20 },
    );
  });

  it('draws a small digit as large as a large one', () => {
    expect(centred(bar(7, 9, 10, 50), side)).toEqual(centred(bar(30, 20, 40, 200), side));
  });
});

describe('digitsIn', () => {
  it('returns the digits of a file, with their greys in 256 steps', () => {
    const digits = {
      images: Float32Array.from({ length: 3 * 784 }, (_, i) => (i % 256) / 255),
      labels: Uint8Array.of(9, 0, 4),
    };
    expect(digitsIn(digitFile(digits))).toEqual(digits);
  });
});
