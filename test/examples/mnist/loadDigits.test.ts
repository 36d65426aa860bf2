import { describe, expect, it } from 'vitest';
import { loadDigits } from '../../../examples/mnist/loadDigits.ts';

describe('loadDigits', () => {
  it('splits all digits, each class in the same proportion', () => {
    const { training, test } = loadDigits();
    expect(training.labels.length + test.labels.length).toBe(10_000);
    expect(test.labels.length).toBeGreaterThan(1990);
    expect(training.images.length).toBe(training.labels.length * 784);
    expect(new Set(test.labels).size).toBe(10);
  });
});
