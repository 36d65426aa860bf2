import { afterEach, describe, expect, it, vi } from 'vitest';
import { readOptions } from '../../../examples/mnist/readOptions.ts';

afterEach(() => vi.restoreAllMocks());

describe('readOptions', () => {
  it.each([
    ['--epochs', '0'],
    ['--speed', '3'],
    ['--backend', 'gpu'],
    ['--report', 'no/such/folder'],
    ['now', ''],
  ])('refuses %s %s in one line, with exit code 2', (...args) => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    expect(() => readOptions(args.filter(Boolean))).toThrow('exit 2');
    expect(lines.join('')).toMatch(/^error: [^\n]* Usage: npm start [^\n]*\n$/);
  });

  it('has a default for everything', () => {
    expect(readOptions([])).toEqual({
      depth: 20,
      seeds: 2,
      epochs: 3,
      batchSize: 64,
      learningRate: 0.001,
      backend: 'wasm',
      report: 'report.html',
      limit: 5620,
    });
  });
});
