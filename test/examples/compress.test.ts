import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compressModel, type Point, sparsities } from '../../examples/compress/compressModel.ts';
import { checks, plot, resultTable } from '../../examples/compress/compressResults.ts';
import { loadDigits } from '../../examples/mnist/loadDigits.ts';

describe('the compressed digit network', () => {
  const points: Point[] = [];
  const told: Point[] = [];
  let leak: number;
  beforeAll(async () => {
    const backend = tf.getBackend();
    await tf.setBackend('wasm');
    const before = tf.memory().numTensors;
    const signal = new AbortController().signal;
    const done = (point: Point): void => void told.push(point);
    points.push(...(await compressModel(1, { ...loadDigits(200), epochs: 1, signal, done })));
    leak = tf.memory().numTensors - before;
    await tf.setBackend(backend);
  });

  const pointOf = (sparsity: number, bits: number): Point =>
    points.find((point) => point.sparsity === sparsity && point.bits === bits)!;

  it('has every share of zeros with every number of bits, and leaves no tensor behind', () => {
    expect(points).toHaveLength(sparsities.length * 3);
    expect(told).toEqual(points);
    expect(leak).toBe(0);
    for (const { zeros, sparsity, bits } of points) {
      // Rounding to few integers makes further zeros.
      if (bits === 32) expect(Math.abs(zeros - sparsity)).toBeLessThan(1e-3);
      else expect(zeros).toBeGreaterThanOrEqual(sparsity - 1e-3);
    }
  });

  it('is written in a byte for each weight, which a plain model loads bit for bit', () => {
    const weights = 784 * 256 + 256 * 128 + 128 * 10;
    const biases = 4 * (256 + 128 + 10);
    expect(pointOf(0, 32).bytes).toBe(4 * weights + biases);
    expect(pointOf(0.9, 8).bytes).toBe(weights + biases);
    expect(points.every(({ isFileExact }) => isFileExact)).toBe(true);
  });

  it('is smaller after gzip with more zeros and with fewer bits', () => {
    for (const bits of [32, 8, 4]) {
      const sizes = sparsities.map((sparsity) => pointOf(sparsity, bits).gzip);
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    }
    for (const sparsity of sparsities) {
      const sizes = [32, 8, 4].map((bits) => pointOf(sparsity, bits).gzip);
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    }
  });

  it('is a table and a plot, with a statement for each claim', () => {
    const { columns, rows } = resultTable(points);
    expect(rows.map((row) => row.length)).toEqual(Array(points.length).fill(columns.length));
    expect(plot(points).match(/<polyline/g)).toHaveLength(3);
    const all = (accuracy: number): boolean[] =>
      checks(
        points.map((point) => ({
          ...point,
          accuracy: point.bits === 32 && point.sparsity === 0 ? 1 : accuracy,
        })),
      ).map(({ held }) => held);
    expect(all(0.996)).toEqual([true, true, true, true]);
    expect(all(0.98)).toEqual([false, false, false, true]);
  });
});
