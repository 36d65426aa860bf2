import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { root } from '../markdown.ts';

// The program chooses its backend itself: once is enough.
describe('the constraints of tf.layers', () => {
  it('are broken by fit before, and hold after, for a dense layer and for a custom one', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), join(root, 'examples/tfLayers/main.ts')],
      { env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'test/tsconfig.json') } },
    );
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
