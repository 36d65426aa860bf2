import { describe, expect, it } from 'vitest';
import { pythonWithTorch } from '../../bench/measure/torchWorker.ts';
import { thereAndBack } from '../../examples/distributed/thereAndBack.ts';

const python = pythonWithTorch(['python3', '/usr/bin/python3']);
if (python === undefined)
  console.warn('no Python here can import torch: the distributed example is not tested');

describe.skipIf(python === undefined)('the distributed example', () => {
  it('goes to two processes of PyTorch and back, its losses as if it had stayed', async () => {
    const { here, there, back, stayed, restored } = await thereAndBack(python!);
    expect(restored).toBe(true);
    const close = (actual: readonly number[], expected: readonly number[]): void => {
      expect(actual).toHaveLength(expected.length);
      // The same arithmetic in another order: some units in the last place for each step.
      for (const [i, loss] of actual.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-5);
    };
    expect(Math.abs(there[0]! - here.at(-1)!)).toBeLessThan(1e-6);
    expect(Math.abs(back[0]! - there.at(-1)!)).toBeLessThan(1e-6);
    close([...there, ...back], stayed);
    // Each journey begins with the loss that the last one ended with.
    const all = [...here, ...there.slice(1), ...back.slice(1)];
    for (const [i, loss] of all.slice(1).entries()) expect(loss).toBeLessThan(all[i]!);
  });
});
