import { describe, expect, it } from 'vitest';
import { outputOfExample } from '../outputOfExample.ts';

/** The number after some words. */
const numberAfter = (output: string, words: string): number => {
  const [, number] = output.match(new RegExp(`${words}\\s+(-?[\\d.]+)`))!;
  return Number(number);
};

// The programs choose their backend themselves: once is enough.
describe('the decorated models', () => {
  const inStandardMode = outputOfExample('decorators/main.ts');

  it('learn in standard mode, keep what they declare, and leave nothing behind', async () => {
    const output = await inStandardMode;
    const [tcn, discriminator, rnn] = output.split(/^(?=A )/m) as [string, string, string];
    expect(numberAfter(tcn, 'loss at last')).toBeLessThan(numberAfter(tcn, 'loss at first') / 10);
    expect(numberAfter(tcn, 'weights, loss')).toBe(numberAfter(tcn, 'loss at last'));
    expect(tcn).toContain('blocks.2.conv2.weight: WeightNorm(dim=0)');
    expect(numberAfter(discriminator, 'told apart')).toBeGreaterThan(80);
    expect(discriminator).toContain('steepest slope at most 1: true');
    expect(numberAfter(rnn, 'loss at last')).toBeLessThan(numberAfter(rnn, 'loss at first') / 10);
    expect(rnn).toContain('‖WᵀW − I‖ below 1e-5: true');
    expect(output).toContain('\n0 tensors are left');
  });

  it('are the same TCN in legacy mode', async () => {
    const [standard, legacy] = await Promise.all([
      inStandardMode,
      outputOfExample('decorators/legacy/main.ts', 'examples/decorators/legacy/tsconfig.json'),
    ]);
    const [mode, ...tcn] = legacy.split('\n');
    expect(mode).toBe('compiled with legacy decorators');
    expect(standard.startsWith(tcn.join('\n'))).toBe(true);
  });
});
