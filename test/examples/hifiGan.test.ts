import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { fold } from 'tfjs-parametrize';
import { loadCheckpoint } from 'tfjs-parametrize/checkpoint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator, smallest as size } from '../../examples/hifiGan/generator.ts';
import { type Loaded, loadAndFold } from '../../examples/hifiGan/loadAndFold.ts';
import { normalizeGenerator } from '../../examples/hifiGan/normalizeGenerator.ts';
import { type Melody, melody } from '../../examples/hifiGan/tone.ts';
import { wavFile } from '../../examples/hifiGan/wavFile.ts';
import { type Trained, writeCheckpoint } from '../../examples/hifiGan/writeCheckpoint.ts';
import { call } from '../cli/call.ts';

const torchFolder = new URL('../golden/hifi_gan/', import.meta.url);
const torchFile = new URL('generator.pt', torchFolder);

describe('the generator of HiFi-GAN’s form', () => {
  let folder: string;
  let notes: Melody;
  let trained: Trained;
  let loaded: Loaded;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hifiGan-'));
    notes = melody(size.bands, 1);
    const file = join(folder, 'generator.safetensors');
    trained = await writeCheckpoint(file, size, notes, 8);
    loaded = await loadAndFold(file, size, notes.frames, 1);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    tf.dispose([notes.frames, notes.sound]);
  });

  it('is normalized by three rules on every convolution, with one norm per first axis', () => {
    const generator = new Generator(size);
    const { registered, untouched } = normalizeGenerator(generator);
    expect(new Set(registered.map(({ rule }) => rule))).toEqual(new Set([0, 1, 2]));
    expect(registered).toHaveLength(2 + 2 + 2 * (2 + 2));
    expect(untouched).toEqual([]);
    expect(generator.ups.at(0).parametrizations!.weight!.original0!.shape).toEqual([8, 1, 1]);
    expect(fold(generator)).toHaveLength(registered.length);
    generator.dispose();
  });

  it('loads a file with the keys of torch’s weight_norm', () => {
    const module = (name: string) => ['bias', 'weight_g', 'weight_v'].map((tensor) => `${name}.${tensor}`);
    const names = [
      ...['conv_pre', 'conv_post', 'ups.0', 'ups.1'],
      ...[0, 1].flatMap((block) =>
        ['convs1', 'convs2'].flatMap((convs) => [0, 1].map((i) => `resblocks.${block}.${convs}.${i}`)),
      ),
    ];
    expect([...loaded.keys].sort()).toEqual(names.flatMap(module).sort());
  });

  it('loads what PyTorch has saved by the same rules, and computes what PyTorch computes', async () => {
    const { frames, samples } = JSON.parse(readFileSync(new URL('output.json', torchFolder), 'utf8'));
    const input = tf.tensor3d(frames, [1, size.bands, 3]);
    const { keys, normalized, plain } = await loadAndFold(torchFile, size, input, 1);
    input.dispose();
    expect([...keys].sort()).toEqual([...loaded.keys].map((key) => `generator.${key}`).sort());
    for (const output of [normalized, plain]) {
      const differences = (samples as number[]).map((sample, i) => Math.abs(sample - output[i]!));
      expect(differences).toHaveLength(output.length);
      expect(Math.max(...differences)).toBeLessThan(1e-5);
    }
  });

  it('gets its norms back on the command line, from the folded file and three rules as data', async () => {
    const [folded, rules, normed] = ['folded.safetensors', 'rules.json', 'normed.safetensors'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await call('fold', fileURLToPath(torchFile), '-o', folded);
    const wanted = [
      { match: 'conv_{pre,post}', apply: 'weightNorm' },
      { match: 'ups.*', apply: 'weightNorm', options: { dim: 0 } },
      { match: 'resblocks.**', apply: 'weightNorm' },
    ];
    writeFileSync(rules, JSON.stringify(wanted));
    const applied = await call('apply', rules, folded, '-o', normed, '--prefix', 'generator');
    expect(applied).toMatchObject({ code: 0, error: '' });
    const generator = new Generator(size);
    const { registered } = normalizeGenerator(generator);
    expect(applied.out).toContain(`parametrized ${registered.length} tensors`);
    await loadCheckpoint(generator, torchFile);
    const before = [...generator.conv_pre.parametrizations!.weight!.original0!.dataSync()];
    await loadCheckpoint(generator, normed);
    const after = generator.conv_pre.parametrizations!.weight!.original0!.dataSync();
    expect(Math.max(...before.map((g, i) => Math.abs(g - after[i]!)))).toBeLessThan(1e-5);
    generator.dispose();
  });

  it('plays the same as before saving, and as folded', () => {
    expect(trained.losses[1]).toBeLessThan(trained.losses[0]);
    expect(trained.samples).toHaveLength(4 * 64);
    expect(loaded.normalized).toEqual(trained.samples);
    const difference = loaded.plain.map((sample, i) => Math.abs(sample - loaded.normalized[i]!));
    expect(Math.max(...difference)).toBeLessThan(1e-6);
  });
});

describe('wavFile', () => {
  it('writes the samples after a header of 44 bytes, and limits them', () => {
    const file = wavFile(Float32Array.of(0, 1, -2), 8000);
    expect(file).toHaveLength(44 + 6);
    expect(new TextDecoder().decode(file.subarray(0, 4))).toBe('RIFF');
    const view = new DataView(file.buffer);
    expect([view.getUint32(4, true), view.getUint32(24, true), view.getUint32(40, true)]).toEqual([
      42, 8000, 6,
    ]);
    expect([0, 1, 2].map((i) => view.getInt16(44 + 2 * i, true))).toEqual([0, 32_767, -32_767]);
  });
});
