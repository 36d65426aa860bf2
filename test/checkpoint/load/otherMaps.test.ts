import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import {
  catalog,
  centeredWeightNorm,
  kronecker,
  lowRank,
  nn,
  nonNeg,
  valueOf,
  weightNorm,
  weightStandardization,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { flatten } from '../../toBeAllClose.ts';

type Register = (host: object, name: string) => unknown;

/** Maps with two originals and the shapes of weight norm, and chains that begin with weight norm. */
const maps: Record<string, Register> = {
  centeredWeightNorm: (host, name) => centeredWeightNorm(host, name as never),
  'weightStandardization with gain': (host, name) =>
    weightStandardization(host, name as never, { gain: true }),
  'weightNorm with log': (host, name) => weightNorm(host, name as never, { scale: 'log' }),
  lowRank: (host, name) => lowRank(host, name as never, { rank: 4 }),
  kronecker: (host, name) =>
    kronecker(host, name as never, {
      shapes: [
        [1, 1],
        [4, 4],
      ],
    }),
  'weightNorm and nonNeg': (host, name) => {
    weightNorm(host, name as never);
    nonNeg(host, name as never);
  },
};

const plain: Register = () => undefined;
const linear: Register = (host, name) => weightNorm(host, name as never);

function moduleWith(register: Register): nn.Sequential {
  const model = new nn.Sequential(new nn.Linear(4, 4, { bias: false }));
  register(model[0]!, 'weight');
  return model.eval() as nn.Sequential;
}

function layersWith(register: Register): tf.Sequential {
  const dense = tf.layers.dense({ units: 4, inputShape: [4], useBias: false, name: '0' });
  const model = tf.sequential({ layers: [dense] });
  register(dense, 'kernel');
  return model;
}

const weightOf = (model: nn.Sequential): number[] => tf.tidy(() => flatten((model[0] as nn.Linear).weight));

/** The value in torch's layout. */
const kernelOf = (model: tf.Sequential): number[] =>
  tf.tidy(() => flatten(tf.transpose(valueOf(model.layers[0]!, 'kernel'))));

async function fileOf(model: object): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk.slice()) });
  await saveCheckpoint(model as nn.Module, stream);
  return Buffer.concat(chunks);
}

describe('a file of a map whose parts have the names of those of weight norm', () => {
  it.each(Object.entries(maps))('%s: is refused by a tensor without this map', async (_, register) => {
    const saved = moduleWith(register);
    const file = await fileOf(saved);
    for (const other of [plain, linear]) {
      const module = moduleWith(other);
      const before = weightOf(module);
      await expect(loadCheckpoint(module, file)).rejects.toMatchObject({ code: 'STATE_DICT' });
      expect(weightOf(module)).toEqual(before);
      module.dispose();
      const model = layersWith(other);
      const kernel = kernelOf(model);
      await expect(loadCheckpoint(model, file)).rejects.toMatchObject({ code: 'STATE_DICT' });
      expect(kernelOf(model)).toEqual(kernel);
      model.dispose();
    }
    saved.dispose();
  });

  it.each(Object.entries(maps))('%s: gives its value to a plain tensor by a catalog', async (_, register) => {
    const saved = moduleWith(register);
    const file = await fileOf(saved);
    const [module, model] = [moduleWith(plain), layersWith(plain)];
    await loadCheckpoint(module, file, { catalog });
    await loadCheckpoint(model, file, { catalog });
    expect(weightOf(module)).toEqual(weightOf(saved));
    expect(kernelOf(model)).toBeAllClose(weightOf(saved), { relative: 1e-5, absolute: 1e-6 });
    for (const one of [saved, module, model]) one.dispose();
  });

  it.each(Object.entries(maps))('%s: loads into the same map', async (_, register) => {
    const [saved, module] = [moduleWith(register), moduleWith(register)];
    await loadCheckpoint(module, await fileOf(saved));
    expect(weightOf(module)).toEqual(weightOf(saved));
    for (const one of [saved, module]) one.dispose();
  });

  it.each(['weightNorm with log', 'weightStandardization with gain'])(
    '%s: is refused by a layer with weight norm, also in the names of tf.layers',
    async (name) => {
      const [saved, model] = [layersWith(maps[name]!), layersWith(linear)];
      const [value, kernel] = [kernelOf(saved), kernelOf(model)];
      await expect(loadCheckpoint(model, await fileOf(saved))).rejects.toMatchObject({ code: 'STATE_DICT' });
      expect(kernelOf(model)).toEqual(kernel);
      const same = layersWith(maps[name]!);
      await loadCheckpoint(same, await fileOf(saved));
      expect(kernelOf(same)).toEqual(value);
      for (const one of [saved, model, same]) one.dispose();
    },
  );

  it('a file of weight norm gives its value to another map through the right inverse', async () => {
    const saved = moduleWith(linear);
    const module = moduleWith(maps['weightNorm with log']!);
    await loadCheckpoint(module, await fileOf(saved));
    expect(weightOf(module)).toBeAllClose(weightOf(saved), { relative: 1e-5, absolute: 1e-6 });
    for (const one of [saved, module]) one.dispose();
  });
});
