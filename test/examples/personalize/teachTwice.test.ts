import '@tensorflow/tfjs-backend-wasm';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../../examples/mnist/loadDigits.ts';
import { Progress } from '../../../examples/mnist/progress.ts';
import { checks, resultTable } from '../../../examples/personalize/resultTable.ts';
import { type Taught, teachTwice } from '../../../examples/personalize/teachTwice.ts';

describe('the network that learns new digits', () => {
  let taught: Taught;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'personalize-'));
    const backend = tf.getBackend();
    await tf.setBackend('wasm');
    const progress = new Progress({ isTTY: false } as NodeJS.WriteStream);
    const signal = new AbortController().signal;
    taught = await teachTwice(1, { ...loadDigits(300), passes: 2, folder, progress, signal });
    await tf.setBackend(backend);
    rmSync(folder, { recursive: true });
  });
  it('knows no new digit before, and more of them afterwards, by both ways', () => {
    const { base, full, adapter } = taught.accuracy;
    expect(base.new).toBe(0);
    expect(full.new).toBeGreaterThan(0.3);
    expect(adapter.new).toBeGreaterThan(0.1);
  });

  it('trains less than 3 % of the parameters, in a file below 5 % of the model’s', () => {
    const { parameters, bytes } = taught;
    // conv1, conv2, hidden and head, with their biases.
    expect(parameters.model).toBe(25 * 16 + 16 + 400 * 32 + 32 + 1568 * 256 + 256 + 2560 + 10);
    const onBiases = 16 + 32 + 256 + 10;
    expect(parameters.adapter).toBe(4 * (25 + 16 + 400 + 32 + 1568 + 256) + 8 * (256 + 10) + onBiases);
    expect(parameters.adapter / parameters.model).toBeLessThan(0.03);
    expect(bytes.adapter / bytes.model).toBeLessThan(0.05);
  });

  it('predicts the same merged, gets its base back bit for bit, and loads from its two files', () => {
    expect(taught.mergedDifference).toBeLessThan(1e-6);
    expect(taught).toMatchObject({ isBaseKept: true, isFileExact: true });
    expect(taught.tensors.after).toBe(taught.tensors.before);
  });

  it('is a table of means over the seeds, with a statement for each claim', () => {
    const { columns, rows } = resultTable([taught, taught]);
    expect(rows.map((row) => row.length)).toEqual(Array(3).fill(columns.length));
    expect(rows[2]!.slice(-2)).toEqual([
      taught.parameters.adapter.toLocaleString('en'),
      expect.stringMatching(/^4\d kB$/),
    ]);
    expect(checks([taught]).map(({ held }, i) => i === 1 || held)).toEqual(Array(6).fill(true));
    const worse = { ...taught, isBaseKept: false, mergedDifference: 0.1 };
    expect(checks([taught, worse]).filter(({ held }, i) => i !== 1 && !held)).toHaveLength(2);
  });
});
