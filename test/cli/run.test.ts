import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  loadCheckpoint,
  openSafetensors,
  openTorch,
  readSafetensors,
  saveCheckpoint,
} from '../../src/checkpoint/index.ts';
import { run } from '../../src/cli/run.ts';
import { nn, orthogonal, spectralNorm, weightNorm } from '../../src/index.ts';
import { writeLargeSafetensors } from '../checkpoint/formats/largeFiles.ts';
import { Cnn, imagesOf, logitsOf } from '../checkpoint/load/networks.ts';
import { packageFolder } from '../packageFolder.ts';
import { call } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (path: string): string => fileURLToPath(new URL(`../checkpoint/files/${path}`, import.meta.url));
const output = join(folder, 'out.safetensors');

describe('inspect', () => {
  it('lists tensors, what is parametrized and how, ties and counts', async () => {
    const { code, out, error } = await call('inspect', file('statedicts/legacy_weight_norm_nested.pt'));
    expect([code, error]).toEqual([0, '']);
    expect(out).toMatch(/^rnn\.weight_hh_l0_g +F32 +\[12, 1\] +12$/m);
    expect(out).toMatch(/^rnn\.weight_hh_l0 +weightNorm +legacy +2$/m);
    expect(out).toMatch(/^tied: blocks\.0\.conv1\.\S+ = blocks\.0\.net\.0\.\S+$/m);
    expect(out).toMatch(/^torch: 32 tensors, [\d,]+ elements, tied ones once$/m);
  });

  it('prints the same as JSON', async () => {
    const { code, out } = await call(
      'inspect',
      file('networks/mnist_cnn_spectral_norm_parametrized.pt'),
      '--json',
    );
    expect(code).toBe(0);
    const facts = JSON.parse(out);
    expect(facts).toMatchObject({ format: 'torch', tied: [], metadata: {} });
    expect(facts.tensors).toHaveLength(16);
    expect(facts.parametrized[0]).toEqual({
      name: 'features.0.weight',
      by: 'spectralNorm',
      keyFormat: 'modern',
      parts: ['original', '0._u', '0._v'].map((part) => `features.0.parametrizations.weight.${part}`),
    });
    const sizes = facts.tensors.map(({ elements }: { elements: number }) => elements);
    expect(facts.elements).toBe(sizes.reduce((sum: number, size: number) => sum + size, 0));
  });

  it('counts tied tensors once', async () => {
    const { out } = await call('inspect', file('statedicts/views_and_strides.pt'), '--json');
    const { tensors, elements, tied } = JSON.parse(out);
    expect(tied).toEqual([['base', 'tied_a', 'tied_b']]);
    const all = tensors.reduce((sum: number, tensor: { elements: number }) => sum + tensor.elements, 0);
    expect(elements).toBe(all - 2 * 24);
  });

  it('shows what stands below a path, and the recipe in a file of ours', async () => {
    const wrapped = await call(
      'inspect',
      file('networks/mnist_rnn_orthogonal.full.pt'),
      '--prefix',
      'model',
      '--json',
    );
    expect(JSON.parse(wrapped.out).parametrized).toMatchObject([{ name: 'rec.weight', by: 'unknown' }]);
    const model = orthogonal(new nn.Linear(3, 3));
    await saveCheckpoint(model, join(folder, 'own.safetensors'));
    model.dispose();
    const own = await call('inspect', join(folder, 'own.safetensors'), '--json');
    expect(JSON.parse(own.out).parametrized).toMatchObject([{ name: 'weight', by: 'orthogonal' }]);
  });

  it('prints names without control characters', async () => {
    const scalar = tf.scalar(1);
    const { writeSafetensors } = await import('../../src/checkpoint/index.ts');
    writeFileSync(
      join(folder, 'odd.safetensors'),
      await writeSafetensors({ 'a\u001b[31m\n': scalar }, { 'k\u0007': '\u0000' }),
    );
    scalar.dispose();
    const { out } = await call('inspect', join(folder, 'odd.safetensors'));
    expect(out).toContain('a\\u001b[31m\\u000a');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not be there
    expect(out.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f]/);
  });

  it('says no more of a long name than how long it is, and lists thousands at once', async () => {
    const long = await call('inspect', file('badfiles/st_long_name_1mb.safetensors'));
    expect(long.code).toBe(0);
    expect(long.out).toMatch(/… \([\d,]+ characters\)/);
    expect(long.out.length).toBeLessThan(2000);
    const many = await call('inspect', file('badfiles/st_many_tensors_20k.safetensors'));
    expect(many.out).toMatch(/^safetensors: 20,000 tensors, 0 elements$/m);
  });
});

describe('fold', () => {
  it.each([
    'mnist_cnn_weight_norm',
    'mnist_cnn_spectral_norm_legacy',
    'mnist_cnn_spectral_norm_parametrized',
  ])('makes plain weights of %s, which give the logits of torch', async (name) => {
    const { code, out } = await call('fold', file(`networks/${name}.pt`), '-o', output);
    expect([code, out]).toEqual([0, expect.stringMatching(/out\.safetensors: 8 tensors, 4\d,\d+ bytes$/)]);
    const network = new Cnn();
    const report = await loadCheckpoint(network, output);
    expect(report.folded).toEqual([]);
    tf.tidy(() => {
      expect(network.call(imagesOf())).toBeAllClose(logitsOf(name), { relative: 0, absolute: 1e-4 });
    });
    network.dispose();
  });

  it.each([
    ['a norm of each input', () => weightNorm(new nn.Linear(4, 3), 'weight', { dim: 1 })],
    ['a norm of everything', () => weightNorm(new nn.Linear(4, 3), 'weight', { dim: null })],
    ['a norm of two axes', () => weightNorm(new nn.Conv2d(2, 3, 2), 'weight', { dim: [0, 2] })],
    ['a transposed convolution', () => spectralNorm(new nn.ConvTranspose1d(4, 4, 3)).eval()],
    ['a square matrix', () => spectralNorm(new nn.Linear(5, 5)).eval()],
    ['a square convolution', () => spectralNorm(new nn.Conv1d(4, 4, 4)).eval()],
  ])('computes %s as the model does', async (_, make) => {
    const model = make();
    // A weight whose singular value is known to the vectors.
    await saveCheckpoint(model as nn.Module, join(folder, 'model.safetensors'));
    await call('fold', join(folder, 'model.safetensors'), '-o', output);
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(output)));
    const folded = (model as nn.Module).stateDict({ keyFormat: 'folded' });
    expect(tensors['weight']!).toBeAllClose(folded['weight']!, { relative: 1e-5, absolute: 1e-6 });
    expect(metadata['tfjs-parametrize']).toBeUndefined();
    tf.dispose([tensors, folded]);
    model.dispose();
  });

  it('refuses what names do not tell how to fold, and writes nothing', async () => {
    const target = join(folder, 'never.safetensors');
    const { code, error } = await call('fold', file('networks/mnist_rnn_orthogonal.pt'), '-o', target);
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/'rec\.weight' is parametrized.*\[UNSUPPORTED\]$/),
    ]);
    expect(existsSync(target)).toBe(false);
  });
});

describe('convert', () => {
  it.each(['modern', 'legacy'])('changes names to %s and no bytes', async (keyFormat) => {
    for (const source of [
      'legacy_weight_norm_nested.pt',
      'modern_weight_norm_nested.pt',
      'legacy_spectral_norm.pt',
    ]) {
      await call('convert', file(`statedicts/${source}`), '-o', output, '--key-format', keyFormat);
      const [before, after] = [await openTorch(file(`statedicts/${source}`)), await openSafetensors(output)];
      expect(after.names).toHaveLength(before.names.length);
      const isLegacy = (name: string): boolean =>
        /_(g|v|orig|u)$/.test(name) && !name.includes('parametrizations');
      expect(after.names.some(isLegacy)).toBe(keyFormat === 'legacy');
      const plain = (name: string): string =>
        name
          .replace(/parametrizations\.(\w+)\.original0$/, '$1_g')
          .replace(/parametrizations\.(\w+)\.original1$/, '$1_v')
          .replace(/parametrizations\.(\w+)\.original$/, '$1_orig')
          .replace(/parametrizations\.(\w+)\.0\._([uv])$/, '$1_$2');
      const byPlain = new Map(after.names.map((name) => [plain(name), name]));
      for (const name of before.names) {
        expect(await after.read(byPlain.get(plain(name))!), name).toEqual(await before.read(name));
      }
      await before.close();
      await after.close();
    }
  });

  it('keeps every type of element', async () => {
    await call('convert', file('statedicts/dtypes.legacy.pt'), '-o', output, '--key-format', 'modern');
    const [before, after] = [
      await openTorch(file('statedicts/dtypes.legacy.pt')),
      await openSafetensors(output),
    ];
    for (const name of before.names) expect(await after.read(name), name).toEqual(await before.read(name));
    await before.close();
    await after.close();
  });

  it('takes a part of a training checkpoint, and prints JSON', async () => {
    const source = file('networks/mnist_cnn_weight_norm.full.pt');
    const { code, out } = await call(
      'convert',
      source,
      '--prefix',
      'model',
      '--key-format',
      'modern',
      '-o',
      output,
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      output,
      keyFormat: 'modern',
      tensors: 12,
      bytes: readFileSync(output).length,
    });
  });
});

describe('the exit code', () => {
  it.each([
    [0, ['--help'], /Usage: tfjs-parametrize/],
    [0, ['convert', '--help'], /--key-format/],
    [0, ['--version'], /^\d+\.\d+\.\d+$/],
    [2, [], /Usage/],
    [2, ['melt'], /unknown command 'melt'/],
    [2, ['inspect'], /missing required argument/],
    [2, ['inspect', 'a', '--colour'], /unknown option/],
    [2, ['fold', 'a'], /-o, --output/],
    [2, ['convert', 'a', '-o', 'b', '--key-format', 'old'], /Allowed choices are modern, legacy, folded/],
    [
      2,
      ['convert', file('statedicts/empty_dict.pt'), '-o', 'b.pt', '--key-format', 'modern'],
      /Call it \.safetensors/,
    ],
    [2, ['inspect', file('statedicts/empty_dict.pt'), '--prefix', 'x'], /no tensor stands below 'x'/],
    [1, ['inspect', 'nowhere.pt'], /ENOENT.*\[UNREADABLE\]/],
    [1, ['fold', folder, '-o', output], /^error: fold: .* is not a file.*\[UNREADABLE\]/],
    [1, ['inspect', 'http://127.0.0.1:9/a.pt'], /cannot be read: fetch failed \(.+\)\. .*\[UNREADABLE\]/],
    [
      1,
      ['convert', file('statedicts/empty_dict.pt'), '-o', join(folder, 'no/where'), '--key-format', 'modern'],
      /no\/where' cannot be written: ENOENT: no such file or directory\. .*\[UNREADABLE\]/,
    ],
    [
      1,
      ['convert', file('statedicts/empty_dict.pt'), '-o', folder, '--key-format', 'modern'],
      /cannot be written: (EISDIR|EPERM).*\[UNREADABLE\]/,
    ],
    [
      2,
      [
        'fold',
        file('statedicts/empty_dict.pt'),
        '-o',
        file('statedicts/empty_dict.pt').replace('.pt', '.PT'),
      ],
      /\[OPTION\]/,
    ],
    [1, ['inspect', file('README.md')], /not a checkpoint: it is neither safetensors.*\[NOT_A_CHECKPOINT\]/],
    [1, ['inspect', file('badfiles/pt_os_system_global.pt')], /'os\.system'.*\[UNSAFE\]/],
    [
      1,
      ['fold', file('badfiles/other_git_lfs_pointer.pt'), '-o', output],
      /git lfs pull.*\[NOT_A_CHECKPOINT\]/,
    ],
  ])('is %i for %j', async (code, args, text) => {
    const result = await call(...args);
    expect(result.code).toBe(code);
    expect(result.out + result.error).toMatch(text);
  });
});

describe('the output', () => {
  it('is never the file that is read, by whatever path', async () => {
    const input = join(folder, 'input.safetensors');
    await call('convert', file('statedicts/pickle_protocol_2.pt'), '-o', input, '--key-format', 'modern');
    const before = readFileSync(input);
    symlinkSync(input, join(folder, 'link.safetensors'));
    for (const target of [
      input,
      join(folder, '.', 'x', '..', 'input.safetensors'),
      join(folder, 'link.safetensors'),
    ]) {
      const { code, error } = await call('fold', input, '-o', target);
      expect([code, error]).toEqual([2, expect.stringMatching(/a file that is read.*\[OPTION\]/)]);
    }
    expect(readFileSync(input)).toEqual(before);
  });

  it('counts one of a thing as one', async () => {
    const { out } = await call(
      'convert',
      file('statedicts/single_tensor.legacy.pt'),
      '-o',
      output,
      '--key-format',
      'modern',
    );
    expect(out).toMatch(/: 1 tensor, \d+ bytes$/);
  });

  it('is left as it was, and nothing beside it, when the user interrupts', async () => {
    const target = join(folder, 'interrupted.safetensors');
    writeFileSync(target, 'before');
    const interrupted = new AbortController();
    const code = run(
      ['convert', file('networks/mnist_cnn_weight_norm.pt'), '-o', target, '--key-format', 'modern'],
      {
        out: () => {},
        error: () => {},
        showsProgress: false,
        signal: interrupted.signal,
      },
    );
    interrupted.abort();
    expect(await code).toBe(130);
    expect(readFileSync(target, 'utf8')).toBe('before');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('comes with a progress bar on a terminal, of a large file only', async () => {
    const [large, parts]: [string, string[]] = [join(folder, 'large.safetensors'), []];
    await writeLargeSafetensors(large, 10, false);
    const { write } = process.stderr;
    const { isTTY } = process.stderr;
    process.stderr.isTTY = true;
    process.stderr.write = ((text: string) => parts.push(text) > 0) as typeof write;
    try {
      for (const source of [file('statedicts/dtypes.safetensors'), large]) {
        if (source === large) expect(parts).toEqual([]);
        const args = ['convert', source, '-o', output, '--key-format', 'legacy'];
        expect(await run(args, { out: () => {}, error: () => {}, showsProgress: true })).toBe(0);
      }
    } finally {
      process.stderr.write = write;
      process.stderr.isTTY = isTTY;
    }
    expect(parts.join('')).toMatch(/\d+% \|/);
    rmSync(large);
  });
});

describe('the program', () => {
  let installed: Awaited<ReturnType<typeof packageFolder>>;
  let main: string;
  let version = '';
  beforeAll(async () => {
    installed = await packageFolder();
    ({ main } = installed);
    const args = [main, 'inspect', file('statedicts/empty_dict.pt')];
    version = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }, 60_000);
  afterAll(() => installed.remove());

  it('runs without a backend of tfjs', () => {
    expect(version).toContain('torch: 0 tensors, 0 elements');
  });

  it('ends quietly when nobody reads on', async () => {
    const args = [main, 'inspect', file('badfiles/st_many_tensors_20k.safetensors')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let error = '';
    child.stderr.on('data', (text) => {
      error += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = await once(child, 'exit');
    expect([code, error]).toEqual([0, '']);
  });
});
