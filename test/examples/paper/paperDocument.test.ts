import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDigits } from '../../../examples/mnist/loadDigits.ts';
import { Grid } from '../../../examples/paper/grid.ts';
import { methods } from '../../../examples/paper/methods.ts';
import { paperDocument } from '../../../examples/paper/paperDocument.ts';
import { charts } from '../../../examples/paper/plot/charts.ts';
import { type Run, runMethod } from '../../../examples/paper/runMethod.ts';
import { linkedFiles, read, root } from '../../markdown.ts';

describe('a short run of the paper', () => {
  it('trains all methods, and writes the tables and the plots of the committed document', async () => {
    const setting = { ...loadDigits(400), steps: 3, batchSize: 16, signal: new AbortController().signal };
    const runs: Run[] = [];
    for (const method of methods) runs.push(await runMethod(method, 0.01, 1, setting));
    for (const run of runs) {
      expect(run.losses).toHaveLength(3);
      expect(run.losses.every(Number.isFinite)).toBe(true);
    }
    const [plain, normalized, initialized, mean, batch] = runs as [Run, Run, Run, Run, Run];
    expect([plain.growth, batch.growth]).toEqual([1, 1]);
    for (const run of [normalized, initialized, mean]) expect(run.growth).not.toBe(1);
    for (const run of [plain, normalized, initialized]) expect(run.noise).toBeLessThan(1e-5);
    for (const run of [mean, batch]) expect(run.noise).toBeGreaterThan(1e-3);

    const document = paperDocument(new Grid(runs), { training: 320, test: 80, batchSize: 16 });
    const headsIn = (text: string): string[] =>
      text.split('\n').filter((line) => /^(#|\| (claim|method))/.test(line));
    expect(headsIn(document)).toEqual(headsIn(read('docs/weight-norm-paper.md')));
    const plots = Object.keys(charts(new Grid(runs))).map((name) => `docs/paper/${name}`);
    expect(linkedFiles('docs/weight-norm-paper.md')).toEqual(expect.arrayContaining(plots));
    for (const plot of plots) expect(existsSync(join(root, plot))).toBe(true);
  });
});
