import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { fold } from 'tfjs-parametrize';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator, type GeneratorSize } from '../../examples/hifiGan/generator.ts';
import { type Loaded, loadAndFold } from '../../examples/hifiGan/loadAndFold.ts';
import { normalizeGenerator } from '../../examples/hifiGan/normalizeGenerator.ts';
import { type Melody, melody } from '../../examples/hifiGan/tone.ts';
import { wavFile } from '../../examples/hifiGan/wavFile.ts';
import { type Trained, writeCheckpoint } from '../../examples/hifiGan/writeCheckpoint.ts';

const size: GeneratorSize = {
  bands: 4,
  upsampleInitialChannel: 8,
  upsampleRates: [8, 8],
  upsampleKernelSizes: [16, 16],
  resblockKernelSizes: [3],
  resblockDilations: [1, 3],
};

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
