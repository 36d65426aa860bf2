import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { realAndMade } from '../../examples/discriminator/images.ts';
import { largestSingularValue } from '../../examples/discriminator/singularValue.ts';
import { trainTwins } from '../../examples/discriminator/trainTwins.ts';

describe('the discriminator of tf.layers', () => {
  it('keeps its spectral norms at 1 in fit with one rule, and lets them go without', async () => {
    const data = realAndMade(25);
    const twins = await trainTwins(data, 2);
    tf.dispose([data.images, data.labels]);
    expect(twins.map(({ name }) => name)).toEqual(['plain', 'spectral norm']);
    const [plain, normalized] = twins.map(({ norms }) => norms) as [number[][], number[][]];
    expect(normalized).toHaveLength(3);
    for (const norm of normalized.flat()) expect(Math.abs(norm - 1)).toBeLessThan(0.1);
    expect(Math.max(...plain.at(-1)!)).toBeGreaterThan(Math.max(...plain[0]!) + 0.01);
  });
});

describe('largestSingularValue', () => {
  it('is exact for matrices with known singular values, tall, wide and of low rank', () => {
    const diagonal = [
      [3, 0, 0, 0],
      [0, -5, 0, 0],
    ];
    expect(largestSingularValue(diagonal)).toBe(5);
    // The singular value of an outer product is the product of the lengths.
    const outer = [1, 2, 2].map((a) => [3 * a, 4 * a]);
    expect(largestSingularValue(outer)).toBeCloseTo(15, 12);
    // The eigenvalues of [[2, 1], [1, 2]] are 1 and 3.
    expect(
      largestSingularValue([
        [2, 1],
        [1, 2],
      ]),
    ).toBeCloseTo(3, 12);
  });
});
