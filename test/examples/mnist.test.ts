import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columns, timeColumn } from '../../examples/mnist/resultTable.ts';

const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describe('npm start', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mnist-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Starts the program on the sources of the package, which the paths of the tests' tsconfig name: no build needed. */
  const start = (...args: string[]): ChildProcess =>
    spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), pathOf('examples/mnist/main.ts'), ...args],
      {
        cwd: folder,
        env: { ...process.env, TSX_TSCONFIG_PATH: pathOf('test/tsconfig.json') },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );

  const small = ['--epochs', '2', '--limit', '100', '--batch-size', '16'];

  describe('with few digits', () => {
    let first: Ending;
    let again: Ending;
    let otherSeed: Ending;
    beforeAll(async () => {
      [first, again, otherSeed] = await Promise.all([
        endOf(start(...small, '--seed', '7')),
        endOf(start(...small, '--seed', '7', '--report', 'again.html')),
        endOf(start(...small, '--seed', '8', '--backend', 'cpu', '--report', 'other.html')),
      ]);
    }, 120_000);

    it('ends well and without control characters', () => {
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(first.stdout).toMatch(/^[\n\x20-\x7e─-╿]+$/);
      expect(first.stdout).toContain('weight norm, cached: epoch 2 of 2, test accuracy');
    });

    it('shows three runs that leave no tensor behind and normalize every weight', () => {
      const rows = rowsIn(first.stdout);
      expect(rows.map(([name]) => name)).toEqual(['plain', 'weight norm', 'weight norm, cached']);
      for (const row of rows) {
        const [before, after] = row.at(-1)!.split(' / ');
        expect(after).toBe(before);
      }
      const numbersOf = (column: (typeof columns)[number]) =>
        rows.map((row) => Number(row[columns.indexOf(column)]));
      const [plain, normalized, inCache] = numbersOf('evals in all');
      expect(plain).toBe(0);
      expect(normalized).toBeGreaterThan(0);
      expect(inCache).toBe(normalized);
      // Each of the four weights once, as between two steps nothing changes.
      expect(numbersOf('evals per test pass')).toEqual([0, 4, 4]);
      const lossOf = (row: string[]) => row[columns.indexOf('last loss')];
      expect(lossOf(rows[2]!)).toBe(lossOf(rows[1]!));
    });

    it('predicts the same after folding', () => {
      expect(first.stdout).toContain(
        'Folded stem.weight, reduce.weight, block.weight, head.weight into plain weights',
      );
      const [, difference, same, count] = first.stdout.match(
        /differ by at most (\S+), and the label is the same for (\d+) of (\d+)/,
      )!;
      expect(Number(difference)).toBeLessThan(1e-4);
      expect(same).toBe(count);
    });

    it('writes a page that loads nothing', () => {
      const page = readFileSync(join(folder, 'report.html'), 'utf8');
      expect(page).toContain("content=\"default-src 'none';");
      expect(page).not.toMatch(/<(?:link|img|iframe|base|object|embed)\b|<script[^>]*\ssrc\b|@import|url\(/i);
      expect(page.match(/<script/g)).toHaveLength(3);
      for (const row of rowsIn(first.stdout)) for (const cell of row) expect(page).toContain(`>${cell}<`);
    });

    it('gives the same table for the same seed, but for the times', () => {
      const timeless = ({ stdout }: Ending) =>
        rowsIn(stdout).map((row) => row.filter((_, column) => column !== timeColumn));
      expect(timeless(again)).toEqual(timeless(first));
      expect(timeless(otherSeed)).not.toEqual(timeless(first));
    });
  });

  it('refuses an option that it does not understand before it starts', async () => {
    const { code, stdout, stderr } = await endOf(start('--epochs', '0'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]* Usage: npm start [^\n]*\n$/);
  });

  it('ends on Ctrl-C without a report', async () => {
    const program = start('--report', 'interrupted.html');
    program.stdout!.once('data', () => program.kill('SIGINT'));
    expect(await endOf(program)).toMatchObject({ code: 130, stderr: 'Interrupted.\n' });
    expect(() => readFileSync(join(folder, 'interrupted.html'))).toThrow('ENOENT');
  });
});

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function endOf(program: ChildProcess): Promise<Ending> {
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    program[stream]!.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  return new Promise((resolve, reject) => {
    program.once('error', reject).once('close', (code) => resolve({ code, ...output }));
  });
}

/** The cells of the table, without its head. */
const rowsIn = (stdout: string): string[][] =>
  stdout
    .split('\n')
    .filter((line) => /^│ (?:plain|weight norm)/.test(line))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
