import * as tf from '@tensorflow/tfjs';
import { isParametrized, nn, removeParametrizations, valueOf, weightNorm } from 'tfjs-parametrize';
import { describe, expect, it } from 'vitest';
import 'tfjs-parametrize/layers';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  loadCheckpoint,
  readSafetensors,
  saveCheckpoint,
  writeSafetensors,
} from '../../../src/checkpoint/index.ts';
import { memoryHandler } from '../layerNetworks.ts';
import { bytesOf } from '../stateDictFiles.ts';

const alias = bytesOf('ties/tied_alias.safetensors');

/** A module whose decoder has the weight of its embedding. */
class Tied extends nn.Module {
  embed = new nn.Embedding(5, 3);
  decoder = new nn.Linear(3, 5);
  constructor() {
    super();
    const own = this.decoder.weight as tf.Variable;
    Object.defineProperty(this.decoder, 'weight', {
      ...Object.getOwnPropertyDescriptor(this.decoder, 'weight')!,
      value: this.embed.weight,
    });
    own.dispose();
  }
  forward(x: tf.Tensor): tf.Tensor {
    return this.decoder.call(this.embed.call(x));
  }
}

/** The same without the tie. */
class Untied extends nn.Module {
  embed = new nn.Embedding(5, 3);
  decoder = new nn.Linear(3, 5);
  forward(x: tf.Tensor): tf.Tensor {
    return this.decoder.call(this.embed.call(x));
  }
}

/** A module under two paths. */
class Block extends nn.Module {
  conv: nn.Linear;
  net: nn.Sequential;
  constructor(isNormalized: boolean) {
    super();
    this.conv = isNormalized ? weightNorm(new nn.Linear(2, 3)) : new nn.Linear(2, 3);
    this.net = new nn.Sequential(this.conv, new nn.ReLU());
  }
  forward(x: tf.Tensor): tf.Tensor {
    return this.net.call(x) as tf.Tensor;
  }
}

async function withFile<T>(run: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ties-'));
  try {
    return await run(join(folder, 'model.safetensors'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const numbers = async (tensor: tf.Tensor): Promise<number[]> => [...(await tensor.data())];

describe('a name in the metadata, as save_model writes it', () => {
  it('is the tensor that it names, for tied and for untied modules', async () => {
    const { tensors } = readSafetensors(alias);
    for (const model of [new Tied(), new Untied()]) {
      const report = await loadCheckpoint(model, alias);
      expect(await numbers(model.embed.weight)).toEqual(await numbers(tensors['decoder.weight']!));
      expect(await numbers(model.decoder.weight)).toEqual(await numbers(tensors['decoder.weight']!));
      expect([report.missing, report.unexpected]).toEqual([[], []]);
      expect(report.ties).toEqual(model instanceof Tied ? [['embed.weight', 'decoder.weight']] : []);
      model.dispose();
    }
    tf.dispose(tensors);
  });

  it('is not unexpected in a model without it', async () => {
    const model = new nn.ModuleDict({ decoder: new nn.Linear(3, 5) });
    const report = await loadCheckpoint(model, alias);
    expect(report.unexpected).toEqual([]);
    expect(report.ties).toEqual([['decoder.weight', 'embed.weight']]);
    expect(String(report)).toMatch(/— +embed\.weight +tied to decoder\.weight/);
    model.dispose();
  });

  it('is the tensor that it names in tf.layers', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 2, name: 'embed' }),
        tf.layers.dense({ units: 5, name: 'decoder' }),
      ],
    });
    const report = await loadCheckpoint(model, alias);
    expect([report.missing, report.unexpected]).toEqual([[], []]);
    tf.tidy(() => {
      const [embed, decoder] = [valueOf(model.layers[0]!, 'embeddings'), valueOf(model.layers[1]!, 'kernel')];
      expect(embed).toBeAllClose(tf.transpose(decoder), { absolute: 0 });
    });
    model.dispose();
  });

  it('does nothing where it names no tensor of the model', async () => {
    const weight = tf.ones([1, 2]);
    const bytes = await writeSafetensors({ weight }, { format: 'weight', epoch: 'nothing' });
    const model = new nn.Linear(2, 1, { bias: false });
    const report = await loadCheckpoint(model, bytes);
    expect([report.missing, report.unexpected]).toEqual([[], []]);
    expect(await numbers(model.weight)).toEqual([1, 1]);
    weight.dispose();
    model.dispose();
  });
});

describe('a file with several names for one variable of a module', () => {
  it('is loaded if their values are equal, and refused if they differ', async () => {
    const model = new Tied();
    const before = await numbers(model.embed.weight);
    const [one, equal, other, bias] = [tf.ones([5, 3]), tf.ones([5, 3]), tf.zeros([5, 3]), tf.zeros([5])];
    const rest = { 'embed.weight': one, 'decoder.bias': bias };
    for (const isStrict of [true, false]) {
      const bytes = await writeSafetensors({ ...rest, 'decoder.weight': other });
      await expect(loadCheckpoint(model, bytes, { strict: isStrict })).rejects.toMatchObject({
        code: 'STATE_DICT',
        message: expect.stringMatching(/'embed\.weight' and 'decoder\.weight' differ in the file/),
      });
    }
    expect(await numbers(model.embed.weight)).toEqual(before);
    const bytes = await writeSafetensors({ ...rest, 'decoder.weight': equal });
    const report = await loadCheckpoint(model, bytes);
    expect(report.ties).toEqual([['embed.weight', 'decoder.weight']]);
    expect(await numbers(model.embed.weight)).toEqual(Array(15).fill(1));
    tf.dispose([one, equal, other, bias]);
    model.dispose();
  });
});

describe('a saved module with ties', () => {
  it.each([
    [false, undefined, ['conv.bias', 'conv.weight']],
    [true, 'folded', ['conv.bias', 'conv.weight']],
    [true, 'legacy', ['conv.bias', 'conv.weight_g', 'conv.weight_v']],
    [
      true,
      'modern',
      ['conv.bias', 'conv.parametrizations.weight.original0', 'conv.parametrizations.weight.original1'],
    ],
  ] as const)(
    '(normalized: %s) has each tensor once in the key format %s, and comes back',
    async (isNormalized, keyFormat, names) => {
      const model = new Block(isNormalized);
      const options = keyFormat === undefined ? {} : { keyFormat };
      const handler = memoryHandler();
      await withFile(async (path) => {
        await saveCheckpoint(model, path, options);
        await saveCheckpoint(model, handler, options);
        const bytes = readFileSync(path);
        const { tensors, metadata } = readSafetensors(bytes);
        expect(Object.keys(tensors).sort()).toEqual(names);
        expect([...handler.names()].sort()).toEqual(names);
        for (const name of names) {
          expect(metadata[name.replace('conv', 'net.0')]).toBe(name);
        }
        tf.dispose(tensors);
        const expected = tf.tidy(() => tf.clone(model.conv.weight));
        for (const source of [bytes, handler]) {
          for (const target of [new Block(false), new Block(true)]) {
            const report = await loadCheckpoint(target, source);
            expect(report.ties.length).toBeGreaterThan(1);
            tf.tidy(() => {
              expect(target.conv.weight).toBeAllClose(expected, { absolute: 1e-6 });
            });
            target.dispose();
          }
          const plain = new nn.ModuleDict({ net: new nn.Sequential(new nn.Linear(2, 3)) });
          const report = await loadCheckpoint(plain, source);
          expect([report.missing, report.unexpected]).toEqual([[], []]);
          plain.dispose();
        }
        expected.dispose();
      });
      model.dispose();
    },
  );

  it('follows its recipe', async () => {
    const [model, plain] = [new Block(true), new Block(false)];
    const handler = memoryHandler();
    await saveCheckpoint(model, handler);
    const report = await loadCheckpoint(plain, handler, { catalog: { weightNorm } });
    expect(report.registered).toEqual(['conv.weight']);
    tf.tidy(() => {
      expect(plain.conv.weight).toBeAllClose(model.conv.weight, { absolute: 0 });
    });
    model.dispose();
    plain.dispose();
  });

  it('refuses metadata under the name of a tensor', async () => {
    const model = new Tied();
    await expect(
      saveCheckpoint(model, memoryHandler(), { metadata: { 'decoder.weight': 'x' } }),
    ).rejects.toMatchObject({ code: 'OPTION', message: expect.stringContaining("'decoder.weight'") });
    model.dispose();
  });
});

describe('a model of tf.layers with a layer in two models', () => {
  const make = (isNormalized: boolean) => {
    const shared = tf.layers.dense({ units: 2, name: 'shared', inputShape: [2] });
    const branch = (name: string): tf.Sequential =>
      tf.sequential({ name, layers: [shared, tf.layers.dense({ units: 1, name: 'own' })] });
    const input = tf.input({ shape: [2] });
    const outputs = ['left', 'right'].map((name) => branch(name).apply(input) as tf.SymbolicTensor);
    const model = tf.model({ inputs: input, outputs });
    if (isNormalized) weightNorm(shared, 'kernel');
    return { model, shared };
  };

  // Its own dispose frees a layer once for each model that it is in, and throws.
  const free = ({ model, shared }: ReturnType<typeof make>): void => {
    if (isParametrized(shared)) removeParametrizations(shared, 'kernel');
    tf.dispose(model.getWeights());
  };

  it.each([false, true])(
    '(normalized: %s) has it once in a file, and loads it from either path',
    async (isNormalized) => {
      const { model, shared } = make(isNormalized);
      const handler = memoryHandler();
      await saveCheckpoint(model, handler, { keyFormat: 'folded' });
      expect(handler.names()).not.toContain('right.shared.weight');
      const artifacts = await handler.load!();
      const tensors = tf.io.decodeWeights(artifacts.weightData!, artifacts.weightSpecs!);
      for (const from of ['left', 'right', 'both']) {
        const renamed = Object.entries(tensors).flatMap(([key, value]) => {
          if (!key.startsWith('left.shared.') || from === 'left') return [[key, value] as const];
          const other = [key.replace('left', 'right'), value] as const;
          return from === 'right' ? [other] : [[key, value] as const, other];
        });
        const target = make(!isNormalized);
        const bytes = await writeSafetensors(Object.fromEntries(renamed));
        const report = await loadCheckpoint(target.model, bytes);
        expect([report.missing, report.unexpected]).toEqual([[], []]);
        expect(report.ties).toContainEqual(['left.shared.weight', 'right.shared.weight']);
        tf.tidy(() => {
          expect(valueOf(target.shared, 'kernel')).toBeAllClose(valueOf(shared, 'kernel'), {
            absolute: 1e-6,
          });
        });
        free(target);
      }
      const different = { ...tensors, 'right.shared.bias': tf.ones([2]) };
      const bytes = await writeSafetensors(different);
      await expect(loadCheckpoint(model, bytes)).rejects.toMatchObject({ code: 'STATE_DICT' });
      tf.dispose(different);
      free({ model, shared });
    },
  );
});

describe('a square weight that an embedding and a dense layer share', () => {
  it('is two tensors in a file, because torch has it and its transpose', async () => {
    const make = (seed: number): tf.Sequential => {
      const [embed, out] = [
        tf.layers.embedding({
          inputDim: 3,
          outputDim: 3,
          inputLength: 2,
          name: 'embed',
          embeddingsInitializer: tf.initializers.randomNormal({ seed }),
        }),
        tf.layers.dense({ units: 3, name: 'out', useBias: false }),
      ];
      const model = tf.sequential({ layers: [embed, out] });
      const [embeddings] = embed.weights;
      tf.dispose(out.weights[0]!.read());
      Object.assign(out, { kernel: embeddings });
      return model;
    };
    const [model, other] = [make(1), make(2)];
    const handler = memoryHandler();
    await saveCheckpoint(model, handler);
    expect([...handler.names()].sort()).toEqual(['embed.weight', 'out.weight']);
    const artifacts = await handler.load!();
    const tensors = tf.io.decodeWeights(artifacts.weightData!, artifacts.weightSpecs!);
    const weight = model.layers[0]!.weights[0]!.read();
    const transposed = tf.transpose(weight);
    expect(tensors['embed.weight']!).toBeAllClose(weight, { absolute: 0 });
    expect(tensors['out.weight']!).toBeAllClose(transposed, { absolute: 0 });
    const report = await loadCheckpoint(other, handler);
    expect(report.ties).toEqual([['embed.weight', 'out.weight']]);
    expect([report.missing, report.unexpected]).toEqual([[], []]);
    expect(other.layers[0]!.weights[0]!.read()).toBeAllClose(weight, { absolute: 0 });
    tf.dispose([tensors, transposed, weight, other.layers[0]!.weights[0]!.read()]);
  });
});
