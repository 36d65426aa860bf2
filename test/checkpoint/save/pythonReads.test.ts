import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { pythonWithTorch } from '../../../bench/measure/torchWorker.ts';
import { readSafetensors, readTorch, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import { nn, orthogonal, spectralNorm, weightNorm } from '../../../src/index.ts';

const python = pythonWithTorch(['python3', '/usr/bin/python3']);
if (python === undefined) console.warn('no Python here can import torch: what it reads is not tested');

interface Case {
  readonly name: string;
  readonly file: string;
  readonly network: string;
  readonly x: number[][];
}

const normalizations = {
  plain: () => {},
  weightNorm: (layer: nn.Linear) => void weightNorm(layer),
  spectralNorm: (layer: nn.Linear) => void spectralNorm(layer),
  orthogonal: (layer: nn.Linear) => void orthogonal(layer),
};

const keyFormats = [
  ['plain', 'modern'],
  ['plain', 'legacy'],
  ['weightNorm', 'modern'],
  ['weightNorm', 'legacy'],
  ['weightNorm', 'folded'],
  ['spectralNorm', 'modern'],
  ['spectralNorm', 'legacy'],
  ['spectralNorm', 'folded'],
  ['orthogonal', 'modern'],
  ['orthogonal', 'folded'],
] as const;

const valuesOf = async (tensors: tf.NamedTensorMap): Promise<Record<string, number[]>> => {
  const values: Record<string, number[]> = {};
  for (const name of Object.keys(tensors).sort()) values[name] = [...(await tensors[name]!.data())];
  tf.dispose(tensors);
  return values;
};

describe.skipIf(python === undefined)('PyTorch', () => {
  it('loads every key format that is written, computes the same, and saves equal bits', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'torch-'));
    const cases: Case[] = [];
    const outputs = new Map<string, number[][]>();
    for (const [normalization, keyFormat] of keyFormats) {
      const [first, second] = [new nn.Linear(4, 4), new nn.Linear(4, 4, { bias: false })];
      const model = new nn.Sequential(first, new nn.Tanh(), second);
      for (const layer of [first, second]) normalizations[normalization](layer);
      model.eval();
      const name = `${normalization}.${keyFormat}`;
      const x = [
        [1, -2, 3, -4],
        [0.5, 0.25, -0.125, 0],
      ];
      const y = tf.tidy(() => model.call(tf.tensor2d(x)) as tf.Tensor);
      outputs.set(name, (await y.array()) as number[][]);
      const network = normalization === 'plain' || keyFormat === 'folded' ? 'plain' : name;
      cases.push({ name, file: `${name}.safetensors`, network, x });
      await saveCheckpoint(model, join(folder, `${name}.safetensors`), { keyFormat });
      y.dispose();
      model.dispose();
    }
    writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases));
    const script = fileURLToPath(new URL('load_in_torch.py', import.meta.url));
    const answers = execFileSync(python!, [script, folder], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; y: number[][] });
    expect(answers.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    for (const { name, y } of answers) {
      const [actual, expected] = [tf.tensor2d(y), tf.tensor2d(outputs.get(name)!)];
      expect(actual, name).toBeAllClose(expected, { relative: 1e-5, absolute: 1e-6 });
      tf.dispose([actual, expected]);
      const bytes = (file: string): Uint8Array => readFileSync(join(folder, file));
      const back = await valuesOf(readTorch(bytes(`${name}.pt`)).tensors);
      expect(back, name).toEqual(await valuesOf(readSafetensors(bytes(`${name}.safetensors`)).tensors));
    }
    rmSync(folder, { recursive: true });
  });

  it('writes thousands of tiny tensors, which are not taken for a bomb', () => {
    const folder = mkdtempSync(join(tmpdir(), 'torch-'));
    const program = `
import sys, torch
state = {f"layers.{i}.step": torch.full((2,), float(i)) for i in range(20000)}
for name, is_zip in (("zip", True), ("legacy", False)):
    torch.save(state, sys.argv[1] + "/" + name, _use_new_zipfile_serialization=is_zip)
`;
    execFileSync(python!, ['-c', program, folder]);
    for (const name of ['zip', 'legacy']) {
      const { tensors } = readTorch(readFileSync(join(folder, name)));
      expect(Object.keys(tensors)).toHaveLength(20000);
      tf.dispose(tensors);
    }
    rmSync(folder, { recursive: true });
  });
});
