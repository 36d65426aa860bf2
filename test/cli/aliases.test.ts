import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors, saveCheckpoint, writeSafetensors } from '../../src/checkpoint/index.ts';
import { nn, orthogonal, spectralNorm, weightNorm } from '../../src/index.ts';
import { call } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-aliases-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [input, output] = [join(folder, 'in.safetensors'), join(folder, 'out.safetensors')];

/** The names of the tensors of the output, and the other names in its metadata. */
function namesOut(): [names: string[], aliases: Record<string, string>] {
  const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(output)));
  tf.dispose(tensors);
  const names = Object.keys(tensors);
  return [names, Object.fromEntries(Object.entries(metadata).filter(([, kept]) => names.includes(kept)))];
}

/** A module under two paths. */
class Twice extends nn.Module {
  first: nn.Linear;
  second: nn.Linear;
  constructor(register: (layer: nn.Linear) => nn.Linear) {
    super();
    this.first = register(new nn.Linear(3, 3));
    this.second = this.first;
  }
  forward(x: tf.Tensor): tf.Tensor {
    return this.first.call(x);
  }
}

describe('the other names of a tensor in a safetensors file', () => {
  it.each<[string, (layer: nn.Linear) => nn.Linear]>([
    ['weightNorm', (layer) => weightNorm(layer)],
    ['spectralNorm', (layer) => spectralNorm(layer)],
    ['orthogonal', (layer) => orthogonal(layer)],
  ])('are those of the weight after a fold, with %s', async (_, register) => {
    const model = new Twice(register);
    await saveCheckpoint(model, input);
    expect(await call('fold', input, '-o', output)).toMatchObject({ code: 0, error: '' });
    expect(namesOut()).toEqual([
      ['first.bias', 'first.weight'],
      { 'second.bias': 'first.bias', 'second.weight': 'first.weight' },
    ]);
    expect(await call('fold', input, '-o', output, '--exclude', 'first.weight')).toMatchObject({ code: 0 });
    const [names, aliases] = namesOut();
    expect(names).toContain('first.bias');
    expect(Object.values(aliases).sort()).toEqual([...names].sort());
    model.dispose();
  });

  it('follow the key format, there and back', async () => {
    const model = new Twice((layer) => weightNorm(layer));
    await saveCheckpoint(model, input);
    const convert = async (from: string, to: string, keyFormat: string): Promise<void> => {
      const { code, error } = await call('convert', from, '-o', to, '--key-format', keyFormat);
      expect([code, error]).toEqual([0, '']);
    };
    await convert(input, output, 'legacy');
    expect(namesOut()).toEqual([
      ['first.bias', 'first.weight_g', 'first.weight_v'],
      {
        'second.bias': 'first.bias',
        'second.weight_g': 'first.weight_g',
        'second.weight_v': 'first.weight_v',
      },
    ]);
    const legacy = join(folder, 'legacy.safetensors');
    writeFileSync(legacy, readFileSync(output));
    await convert(legacy, output, 'folded');
    const folded = namesOut();
    expect(folded[1]).toEqual({ 'second.bias': 'first.bias', 'second.weight': 'first.weight' });
    await convert(legacy, output, 'modern');
    expect(namesOut()[1]).toEqual({
      'second.bias': 'first.bias',
      'second.parametrizations.weight.original0': 'first.parametrizations.weight.original0',
      'second.parametrizations.weight.original1': 'first.parametrizations.weight.original1',
    });
    model.dispose();
  });

  it('are refused in a fold where they share only a part, and nothing is written', async () => {
    rmSync(output, { force: true });
    const tensors = tf.tidy(() => ({
      'a.weight_g': tf.ones([2, 1]),
      'a.weight_v': tf.ones([2, 3]),
      'b.weight_g': tf.ones([2, 1]),
    }));
    writeFileSync(input, await writeSafetensors(tensors, { 'b.weight_v': 'a.weight_v' }));
    tf.dispose(tensors);
    const { code, error } = await call('fold', input, '-o', output);
    expect([code, existsSync(output)]).toEqual([1, false]);
    expect(error).toMatchInlineSnapshot(
      `"error: a part of 'a.weight' is also called 'b.weight_v', which is not folded with it. Leave the weight out by --exclude, or load the file into its model, and save that with keyFormat folded. [TIED]"`,
    );
    const converted = await call('convert', input, '-o', output, '--key-format', 'modern');
    expect(converted.code).toBe(0);
    expect(namesOut()).toEqual([
      ['a.parametrizations.weight.original0', 'a.parametrizations.weight.original1', 'b.weight_g'],
      { 'b.weight_v': 'a.parametrizations.weight.original1' },
    ]);
  });
});
