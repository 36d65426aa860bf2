import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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

  it('prints help and refuses an option that it does not understand, without loading TensorFlow.js', async () => {
    const help = await endOf(start('--help'));
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: npm start -- [options]');
    const { code, stdout, stderr } = await endOf(start('--epochs', '0'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]* Usage: npm start [^\n]*\n$/);
  });

  it('trains, compares, folds and writes a page that loads nothing, from the sources', async () => {
    const small = ['--depth', '16', '--seeds', '1', '--epochs', '1', '--limit', '100', '--batch-size', '16'];
    const { code, stdout, stderr } = await endOf(start(...small));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[\n\x20-\x7e─-╿…]+$/);
    expect(stdout).toContain('seed 1, weight norm, initialized: epoch 1 of 1, test accuracy');

    const rows = rowsIn(stdout);
    expect(rows.map(([name]) => name)).toEqual([
      'run',
      'plain',
      'weight norm',
      'weight norm, initialized',
      'constraint',
      'tf.constraints.unitNorm',
      'the same as a parametrization',
      'run',
      'each read iterates',
      'in cached',
    ]);
    for (const row of rows.slice(1, 4)) expect(row.at(-1)).toBe('0 / 0');
    expect(rows[6]!.slice(1)).toEqual(['1.00000', '1.00000']);
    expect(rows.slice(8).map((row) => row[1])).toEqual(['6', '3']);
    expect(stdout).toContain('Folded 16 weights into plain ones');
    expect(stdout).toContain('the label of each of the 20 test digits is the same, in every run');

    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(page).toContain("content=\"default-src 'none';");
    expect(page).not.toMatch(/<(?:link|img|iframe|base|object|embed)\b|<script[^>]*\ssrc\b|@import|url\(/i);
    expect(page.match(/<script/g)).toHaveLength(3);
    for (const row of rows.slice(4, 7)) {
      for (const cell of row.filter((text) => text.includes('.'))) expect(page).toContain(`>${cell}<`);
    }
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

/** The cells of the tables, with the first line of each head. */
const rowsIn = (stdout: string): string[][] =>
  stdout
    .split('\n')
    .filter((line) => /^│ \S/.test(line))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
