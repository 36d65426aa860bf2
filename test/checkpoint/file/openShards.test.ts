import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/checkpoint/file/openCheckpoint.ts';
import { loadCheckpoint, readSafetensors, writeSafetensors } from '../../../src/checkpoint/index.ts';
import { nn, weightNorm } from '../../../src/index.ts';
import { call } from '../../cli/call.ts';

const folder = mkdtempSync(join(tmpdir(), 'shards-'));
afterAll(() => rmSync(folder, { recursive: true }));
const index = join(folder, 'model.safetensors.index.json');
const output = join(folder, 'out.safetensors');
const shardNames = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;

/** Writes the state dict of a network as two shards: the first tensor, and the others. */
async function writeShards(
  state: tf.NamedTensorMap,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const [first, ...others] = Object.entries(state);
  const parts = [Object.fromEntries([first!]), Object.fromEntries(others)];
  const weights: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    writeFileSync(
      join(folder, shardNames[i]!),
      await writeSafetensors(part, { format: 'pt', [`part${i}`]: String(i) }),
    );
    for (const name of Object.keys(part)) weights[name] = shardNames[i]!;
  }
  Object.assign(weights, more);
  writeFileSync(
    index,
    JSON.stringify({ metadata: { total_size: 1, format: 'jax', author: 'me' }, weight_map: weights }),
  );
}

const network = (): nn.Linear => weightNorm(new nn.Linear(3, 2));

describe('an index of shards', () => {
  it('loads as one file, by its path and by its URL', async () => {
    const saved = network();
    await writeShards(saved.stateDict());
    for (const source of [index, pathToFileURL(index), String(pathToFileURL(index))]) {
      const model = network();
      const report = await loadCheckpoint(model, source);
      expect(report.mapped).toHaveLength(3);
      expect(model.weight).toBeAllClose(saved.weight, { absolute: 0 });
      model.dispose();
    }
    saved.dispose();
  });

  it('has the texts of the index and of all shards, and the names of both', async () => {
    const saved = network();
    await writeShards(saved.stateDict());
    const file = await openCheckpoint('loadCheckpoint', index);
    expect(file.names).toHaveLength(3);
    expect(file.metadata).toEqual({ format: 'jax', author: 'me', part0: '0', part1: '1' });
    expect(file.shards).toEqual(shardNames);
    await file.close();
    await expect(file.tensor(file.names[0]!)).rejects.toMatchObject({ code: 'DISPOSED' });
    saved.dispose();
  });

  it('tells how far the reading of all files is', async () => {
    const saved = network();
    await writeShards(saved.stateDict());
    const model = network();
    const seen: { loaded: number; total: number | undefined }[] = [];
    await loadCheckpoint(model, index, { onProgress: (progress) => void seen.push(progress) });
    const sizes = shardNames.map((name) => readFileSync(join(folder, name)).length);
    expect(seen.at(-1)!.total).toBe(sizes[0]! + sizes[1]!);
    for (const module of [saved, model]) module.dispose();
  });

  it.each([
    ['a shard that is missing', 'UNREADABLE', 'lost.safetensors', /the shard 'lost\.safetensors'/],
    [
      'a tensor that its shard lacks',
      'CORRUPT',
      shardNames[0],
      /the index says that 'more' is in 'model-00001/,
    ],
    ['a shard in another folder', 'CORRUPT', '../x.safetensors', /no name of a file beside it/],
    ['a shard at an address', 'CORRUPT', 'https://x/y', /no name of a file beside it/],
  ])('with %s is refused before anything is loaded', async (_, code, shard, message) => {
    const [saved, model] = [network(), network()];
    await writeShards(saved.stateDict(), { more: shard });
    const before = model.bias!.dataId;
    await expect(loadCheckpoint(model, index)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(model.bias!.dataId).toBe(before);
    for (const module of [saved, model]) module.dispose();
  });

  it('that is bytes does not tell where its shards are', async () => {
    const [saved, model] = [network(), network()];
    await writeShards(saved.stateDict());
    await expect(loadCheckpoint(model, new Uint8Array(readFileSync(index)))).rejects.toMatchObject({
      code: 'OPTION',
      message: expect.stringContaining('Pass the path or URL of the index.'),
    });
    for (const module of [saved, model]) module.dispose();
  });

  it('is inspected, folded and converted by the command line, which never writes a shard over', async () => {
    const saved = network();
    await writeShards(saved.stateDict());
    expect((await call('inspect', index)).out).toContain('weightNorm');
    expect(await call('fold', index, '-o', output)).toMatchObject({ code: 0, error: '' });
    const { tensors } = readSafetensors(new Uint8Array(readFileSync(output)));
    expect(tensors['weight']!).toBeAllClose(saved.weight, { relative: 1e-6 });
    tf.dispose(tensors);
    const before = readFileSync(join(folder, shardNames[1]));
    const refused = await call('convert', index, '-o', join(folder, shardNames[1]), '--key-format', 'legacy');
    expect(refused).toMatchObject({ code: 2, error: expect.stringContaining('a file that is read') });
    expect(readFileSync(join(folder, shardNames[1]))).toEqual(before);
    saved.dispose();
  });
});
