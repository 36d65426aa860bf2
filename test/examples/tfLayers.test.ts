import { describe, expect, it } from 'vitest';
import { outputOfExample } from '../outputOfExample.ts';

// The program chooses its backend itself: once is enough.
describe('the constraints of tf.layers', () => {
  it('are broken by fit before, and hold after, for a dense layer and for a custom one', async () => {
    const stdout = await outputOfExample('tfLayers/main.ts');
    const lines = stdout.split('\n').filter((line) => line.includes('valueOf'));
    const norms = lines.map((line) => line.split(': ')[1]!.split(' ').map(Number));
    expect(norms.length).toBe(4);
    for (const [i, values] of norms.entries()) {
      const distance = Math.max(...values.map((norm) => Math.abs(norm - 1)));
      const isParametrized = i % 2 === 1;
      if (isParametrized) expect(distance).toBeLessThanOrEqual(1e-5);
      else expect(distance).toBeGreaterThan(0.1);
    }
  });
});
