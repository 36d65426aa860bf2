import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { loadDigits } from '../../../examples/mnist/loadDigits.ts';
import { Progress } from '../../../examples/mnist/progress.ts';
import { type Run, runVariant } from '../../../examples/mnist/runVariant.ts';
import { variants } from '../../../examples/mnist/variants.ts';

const setting = {
  ...loadDigits(50),
  options: { depth: 12, epochs: 1, batchSize: 20, learningRate: 0.01 },
  progress: new Progress(new Writable({ write: (_chunk, _encoding, done) => done() }) as NodeJS.WriteStream),
  signal: new AbortController().signal,
};

describe('runVariant', () => {
  it('repeats a run of a seed exactly, and not that of another', async () => {
    const timeless = async (seed: number): Promise<Run> => ({
      ...(await runVariant(variants[2], seed, setting)),
      durations: [],
    });
    const first = await timeless(1);
    expect(await timeless(1)).toEqual(first);
    expect((await timeless(2)).losses).not.toEqual(first.losses);
  });

  it('begins with outputs that fade with the depth, unless they are initialized from the batch', async () => {
    const runs: Run[] = [];
    for (const variant of variants) runs.push(await runVariant(variant, 1, setting));
    const [plain, normalized, initialized] = runs as [Run, Run, Run];
    expect(plain.spreads).toHaveLength(12);
    expect(plain.spreads.at(-1)).toBeLessThan(1e-3);
    for (const [i, spread] of normalized.spreads.entries()) expect(spread).toBeCloseTo(plain.spreads[i]!, 5);
    for (const spread of initialized.spreads) expect(spread).toBeGreaterThan(0.5);
    expect(initialized.fold).toMatchObject({ same: 10, count: 10 });
    expect(initialized.fold!.folded).toHaveLength(12);
  });
});
