import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, readSafetensors, writeSafetensors } from '../../../src/checkpoint/index.ts';
import { ranksOf } from '../../../src/finetune/adapters/peft/peftConfig.ts';
import {
  loadAdapter,
  mergeAdapters,
  type PeftConfig,
  saveAdapter,
  unloadAdapters,
} from '../../../src/finetune/index.ts';
import { dora, lora, nn, parametrize, valueOf } from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { tensorOf } from '../../nn/golden.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { baseNet, expected, fixture, layersNet, TinyNet, tensorsIn } from './tinyNet.ts';

const folder = fixture('');
const configOf = (): PeftConfig =>
  JSON.parse(readFileSync(fixture('adapter_config.json'), 'utf8')) as PeftConfig;

/** The files that a call saves, by name. */
async function savedBy(model: object, options = {}): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  await saveAdapter(model, (name, bytes) => void found.set(name, bytes), options);
  return found;
}

const modelFile = (tensors: tf.NamedTensorMap): Promise<Uint8Array> =>
  writeSafetensors(tensors, { format: 'pt' });

/** A file with the tensors of the golden one under other keys. */
async function renamed(rename: (key: string) => string): Promise<Uint8Array> {
  const tensors = tensorsIn('adapter_model.safetensors');
  const bytes = await modelFile(
    Object.fromEntries(Object.entries(tensors).map(([key, one]) => [rename(key), one])),
  );
  tf.dispose(tensors);
  return bytes;
}

const expectOutput = (model: TinyNet, of: 'output' | 'base_output'): void => {
  inTidy(() => {
    const output = model.call(tensorOf(expected.ids), tensorOf(expected.image));
    expect(output).toBeAllClose(tensorOf(expected[of]));
  });
};

describe('loadAdapter', () => {
  it('gives a module the values and outputs of PEFT', async () => {
    const model = baseNet();
    expectOutput(model, 'base_output');
    const report = await loadAdapter(model, folder, { adapter: 'golden' });
    expect(report.paths).toEqual(
      expect.arrayContaining(['embed.weight', 'features.2.weight', 'blocks.1.q_proj.weight']),
    );
    expect(report.paths).toHaveLength(6);
    expect([...report.replaced].sort()).toEqual(['classifier.bias', 'classifier.weight']);
    expect(report.isActive).toBe(true);
    expect(report.notes).toHaveLength(1);
    expectOutput(model, 'output');
    for (const [key, value] of Object.entries(expected.merged)) {
      const at = key.lastIndexOf('.');
      const host = key
        .slice(0, at)
        .split('.')
        .reduce<object>((one, name) => (one as never)[name], model);
      inTidy(() => expect(valueOf(host, key.slice(at + 1)), key).toBeAllClose(tensorOf(value)));
    }
    const merged = await mergeAdapters(model);
    merged.dispose();
    expectOutput(model, 'output');
    model.dispose();
  });

  it('gives a model of tf.layers the same outputs, and its file the same bytes', async () => {
    const model = layersNet();
    await loadCheckpoint(model, fixture('base_model.safetensors'));
    const report = await loadAdapter(model, folder);
    expect(report.paths).toHaveLength(6);
    inTidy(() => {
      const image = tf.transpose(tensorOf(expected.image), [0, 2, 3, 1]);
      const output = model.predict([tensorOf(expected.ids), image]) as tf.Tensor;
      expect(output).toBeAllClose(tensorOf(expected.output));
    });
    const saved = await savedBy(model);
    expect(
      Buffer.from(saved.get('adapter_model.safetensors')!).equals(
        readFileSync(fixture('adapter_model.safetensors')),
      ),
    ).toBe(true);
    expect(new TextDecoder().decode(saved.get('adapter_config.json'))).toBe(
      readFileSync(fixture('adapter_config.json'), 'utf8'),
    );
    model.dispose();
  });

  const forms: Record<string, (key: string) => string> = {
    'without the prefix': (key) => key.replace('base_model.model.', ''),
    'of a model in memory': (key) =>
      key
        .replace(/(lora_[AB])\.weight$/, '$1.default.weight')
        .replace(/(lora_embedding_[AB])$/, '$1.default')
        .replace(/classifier\.(\w+)$/, 'classifier.modules_to_save.default.$1'),
  };
  it.each(Object.entries(forms))('accepts keys %s', async (_, rename) => {
    const model = baseNet();
    await loadAdapter(model, await renamed(rename), { config: configOf() });
    expectOutput(model, 'output');
    model.dispose();
  });

  it('reads adapter_model.bin, alone and in a folder without the other file', async () => {
    const bytes = readFileSync(fixture('adapter_model.bin'));
    const at = mkdtempSync(join(tmpdir(), 'adapter-'));
    writeFileSync(join(at, 'adapter_model.bin'), bytes);
    writeFileSync(join(at, 'adapter_config.json'), readFileSync(fixture('adapter_config.json')));
    for (const [source, options] of [
      [at, {}],
      [join(at, 'adapter_model.bin'), {}],
      [bytes, { config: configOf() }],
    ] as const) {
      const model = baseNet();
      await loadAdapter(model, source, options);
      expectOutput(model, 'output');
      const saved = await savedBy(model);
      expect(
        Buffer.from(saved.get('adapter_model.safetensors')!).equals(
          readFileSync(fixture('adapter_model.safetensors')),
        ),
      ).toBe(true);
      model.dispose();
    }
    rmSync(at, { recursive: true });
  });

  it('takes the adapter of a name from a file of a model in memory that has several', async () => {
    const [own, other] = [tensorsIn('adapter_model.safetensors'), tensorsIn('adapter_model.safetensors')];
    const inMemory = (key: string, name: string): string =>
      key
        .replace(/(lora_[AB])\.weight$/, `$1.${name}.weight`)
        .replace(/(lora_embedding_[AB])$/, `$1.${name}`)
        .replace(/classifier\.(\w+)$/, `classifier.modules_to_save.${name}.$1`);
    const doubled = Object.entries(other).map(
      ([key, one]) => [inMemory(key, 'other'), tf.tidy(() => tf.mul(one, 2))] as const,
    );
    const all = {
      ...Object.fromEntries(doubled),
      ...Object.fromEntries(Object.entries(own).map(([key, one]) => [inMemory(key, 'mine'), one])),
      'base_model.model.classifier.original_module.weight': tf.ones([2]),
    };
    const bytes = await modelFile(all);
    tf.dispose([all, other]);
    const model = baseNet();
    const keys = Object.keys(model.stateDict());
    const ambiguous = loadAdapter(model, bytes, { config: configOf() });
    await expect(ambiguous).rejects.toMatchObject({
      code: 'AMBIGUOUS',
      message: expect.stringMatching(/the adapters 'mine', 'other'/) as string,
    });
    expect(Object.keys(model.stateDict())).toEqual(keys);
    await loadAdapter(model, bytes, { config: configOf(), adapter: 'mine' });
    expectOutput(model, 'output');
    model.dispose();
  });

  it('gives each module the rank and alpha of the first pattern that matches its path', () => {
    const of = (fields: PeftConfig) => (path: string) => ranksOf({ r: 4, lora_alpha: 8, ...fields }, path);
    const ranks = of({
      rank_pattern: { q_proj: 2, 'blocks\\.1\\..*': 3, '^head': 5 },
      alpha_pattern: { 'blocks\\.[01]\\.q_proj': 16 },
    });
    expect(
      ['blocks.0.q_proj', 'blocks.1.q_proj', 'blocks.1.v_proj', 'xq_proj', 'head', 'a.head'].map(ranks),
    ).toEqual([
      { rank: 2, alpha: 16 },
      { rank: 2, alpha: 16 },
      { rank: 3, alpha: 8 },
      { rank: 4, alpha: 8 },
      { rank: 5, alpha: 8 },
      { rank: 4, alpha: 8 },
    ]);
    expect(ranksOf({}, 'any')).toEqual({ rank: 8, alpha: 8 });
  });

  it('loads a second adapter, which is not active', async () => {
    const model = baseNet();
    await loadAdapter(model, folder, { adapter: 'first' });
    const second = await loadAdapter(model, folder, { adapter: 'second' });
    expect(second.isActive).toBe(false);
    expectOutput(model, 'output');
    unloadAdapters(model, { adapters: ['first'] });
    model.dispose();
  });

  const config = (fields: object): { config: PeftConfig } => ({ config: { ...configOf(), ...fields } });
  const refusals: Record<string, readonly [options: object, code: string, reason?: string]> = {
    'another type': [config({ peft_type: 'LOHA' }), 'UNSUPPORTED'],
    ...Object.fromEntries(
      ['pissa', 'pissa_niter_4', 'olora', 'corda', 'loftq', 'lora_ga', 'PiSSA'].map((name) => [
        `the initialization ${name}, which changes the base`,
        [config({ init_lora_weights: name }), 'UNSUPPORTED', name] as const,
      ]),
    ),
    ...Object.fromEntries(
      Object.entries({
        layer_replication: [[0, 2]],
        trainable_token_indices: [1],
        alora_invocation_tokens: [3],
        use_qalora: true,
        arrow_config: { top_k: 2 },
      }).map(([field, value]) => [field, [config({ [field]: value }), 'UNSUPPORTED', field] as const]),
    ),
    AdaLoRA: [config({ peft_type: 'ADALORA' }), 'UNSUPPORTED', 'ADALORA'],
    IA3: [config({ peft_type: 'IA3' }), 'UNSUPPORTED', 'IA3'],
    'parameters that are not weights of layers': [config({ target_parameters: ['experts'] }), 'UNSUPPORTED'],
    'a missing bias of B': [config({ lora_bias: true }), 'CORRUPT'],
    'another rank': [config({ rank_pattern: {} }), 'CORRUPT'],
    'a pattern that is no regular expression': [config({ alpha_pattern: { 'blocks.(0': 3 } }), 'CORRUPT'],
    'a missing magnitude': [config({ use_dora: true }), 'CORRUPT'],
    'a config that is none': [{ config: 3 }, 'CORRUPT'],
    'a name with a dot': [{ ...config({}), adapter: 'a.b' }, 'OPTION'],
    'no config': [{}, 'OPTION'],
  };
  it.each(Object.entries(refusals))(
    'refuses %s, and changes nothing',
    async (_, [options, code, reason = '']) => {
      const model = baseNet();
      const keys = Object.keys(model.stateDict());
      const bytes = new Uint8Array(readFileSync(fixture('adapter_model.safetensors')));
      await expect(loadAdapter(model, bytes, options)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(reason) as string,
      });
      expect(Object.keys(model.stateDict())).toEqual(keys);
      expectOutput(model, 'base_output');
      model.dispose();
    },
  );

  it('refuses modules that the model lacks, other shapes and convolutions with groups, and changes nothing', async () => {
    const refused = async (model: nn.Module, key: (key: string) => string): Promise<unknown> => {
      const before = Object.values(model.stateDict()).map((one) => flatten(one));
      const error = await loadAdapter(model, await renamed(key), { config: configOf() }).catch(
        (one: unknown) => one,
      );
      expect(Object.values(model.stateDict()).map((one) => flatten(one))).toEqual(before);
      model.dispose();
      return error;
    };
    const same = (key: string): string => key;
    expect(await refused(baseNet(), (key) => key.replace('v_proj', 'k_proj'))).toMatchObject({
      code: 'UNKNOWN_TENSOR',
    });
    expect(await refused(baseNet(), (key) => key.replace('classifier', 'head'))).toMatchObject({
      code: 'UNKNOWN_TENSOR',
    });
    expect(await refused(baseNet(), (key) => key.replace('v_proj', 'v_proj.base_layer'))).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('several parameters') as string,
    });
    const wide = baseNet();
    wide.embed.dispose();
    wide.embed = new nn.Embedding(12, 6);
    expect(await refused(wide, same)).toMatchObject({ code: 'SHAPE' });
    const grouped = baseNet();
    grouped.features[2]!.dispose();
    grouped.features[2] = new nn.Conv2d(4, 6, 3, { groups: 2 });
    expect(await refused(grouped, same)).toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('follows fan_in_fan_out, for weights of [in, out] that are no Linear', async () => {
    class Conv1D extends nn.Module {
      weight: tf.Tensor = nn.parameter(() => tf.zeros([4, 3]));
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.matMul(x as tf.Tensor2D, this.weight as tf.Tensor2D);
      }
    }
    const model = new nn.Sequential(new Conv1D());
    const [A, B] = [tf.randomNormal([2, 4]), tf.randomNormal([3, 2])];
    const bytes = await modelFile({ '0.lora_A.weight': A, '0.lora_B.weight': B });
    await loadAdapter(model, bytes, { config: { r: 2, lora_alpha: 2, fan_in_fan_out: true } });
    inTidy(() => {
      const wanted = tf.transpose(tf.matMul(B as tf.Tensor2D, A as tf.Tensor2D));
      expect((model[0] as Conv1D).weight).toBeAllClose(wanted);
    });
    tf.dispose([A, B]);
    model.dispose();
  });
});

describe('saveAdapter', () => {
  it('writes the files of PEFT with the bytes that it has read, into a folder', async () => {
    const at = mkdtempSync(join(tmpdir(), 'adapter-'));
    const model = baseNet();
    await loadAdapter(model, folder, { adapter: 'golden' });
    await saveAdapter(model, join(at, 'deep/er'), { adapter: 'golden' });
    const names = ['adapter_config.json', 'adapter_model.safetensors'];
    expect(readdirSync(join(at, 'deep/er')).sort()).toEqual(names);
    for (const name of names) {
      expect(readFileSync(join(at, 'deep/er', name)).equals(readFileSync(fixture(name))), name).toBe(true);
    }
    const again = baseNet();
    await loadAdapter(again, join(at, 'deep/er', 'adapter_model.safetensors'));
    expectOutput(again, 'output');
    for (const one of [model, again]) one.dispose();
    rmSync(at, { recursive: true });
  });

  it('writes one file with the config in its metadata, which loads by its path and by its bytes', async () => {
    const at = mkdtempSync(join(tmpdir(), 'adapter-'));
    const model = baseNet();
    const { config } = await loadAdapter(model, folder, { adapter: 'golden' });
    const path = join(at, 'golden.safetensors');
    await saveAdapter(model, path, { adapter: 'golden' });
    expect(readdirSync(at)).toEqual(['golden.safetensors']);
    for (const source of [path, readFileSync(path)]) {
      const again = baseNet();
      expect((await loadAdapter(again, source)).config).toEqual(config);
      expectOutput(again, 'output');
      again.dispose();
    }
    // A config that is given counts, and one beside the file does not.
    writeFileSync(join(at, 'adapter_config.json'), '{}');
    const other = baseNet();
    const given = await loadAdapter(other, path, { config: { ...config, lora_alpha: 1 } });
    expect(given.config.lora_alpha).toBe(1);
    expect((await loadAdapter(other, path, { adapter: 'beside' })).config).toEqual(config);
    for (const one of [model, other]) one.dispose();
    rmSync(at, { recursive: true });
  });

  it.each([
    ['lora', lora],
    ['dora', dora],
  ] as const)('writes a new %s with ranks of its own, biases and embeddings', async (kind, map) => {
    nn.manualSeed(3);
    const model = new TinyNet();
    parametrize(model, [
      { match: 'blocks.*.q_proj', apply: map, options: { rank: 3, alpha: 6, adapter: 'own' } },
      { match: ['embed', 'features.0'], apply: map, options: { rank: 2, adapter: 'own' } },
      { match: ['classifier', 'features.2'], apply: map, options: { rank: 2, adapter: 'own' } },
    ]);
    tf.tidy(() => {
      for (const [key, variable] of model.namedParameters()) {
        if (key.includes('.lora_'))
          variable.assign(tf.randomNormal(variable.shape, 1, 1, 'float32', key.length));
      }
    });
    const saved = await savedBy(model, { adapter: 'own', bias: 'lora_only', saveEmbeddingLayers: true });
    const config = JSON.parse(new TextDecoder().decode(saved.get('adapter_config.json'))) as PeftConfig;
    expect(config).toMatchObject({
      r: 2,
      lora_alpha: 2,
      rank_pattern: { 'blocks.0.q_proj': 3, 'blocks.1.q_proj': 3 },
      alpha_pattern: { 'blocks.0.q_proj': 6, 'blocks.1.q_proj': 6 },
      target_modules: [
        'blocks.0.q_proj',
        'blocks.1.q_proj',
        'classifier',
        'embed',
        'features.0',
        'features.2',
      ],
      bias: 'lora_only',
      use_dora: kind === 'dora',
      peft_type: 'LORA',
    });
    const bytes = saved.get('adapter_model.safetensors')!;
    const { tensors } = readSafetensors(bytes);
    const keys = Object.keys(tensors);
    expect(keys.filter((key) => key.endsWith('.bias')).sort()).toEqual(
      ['blocks.0.q_proj', 'blocks.1.q_proj', 'classifier', 'features.0', 'features.2'].map(
        (path) => `base_model.model.${path}.bias`,
      ),
    );
    expect(keys).toContain('base_model.model.embed.base_layer.weight');
    expect(keys.filter((key) => key.endsWith('lora_magnitude_vector'))).toHaveLength(kind === 'dora' ? 6 : 0);
    tf.dispose(tensors);
    const other = new TinyNet();
    const state = model.stateDict();
    inTidy(() => {
      const base = Object.fromEntries(
        Object.entries(state)
          .filter(([key]) => !key.includes('.lora_'))
          .map(([key, one]) => [key.replace(/parametrizations\.(\w+)\.original/, '$1'), one]),
      );
      other.loadStateDict(base);
    });
    await loadAdapter(other, bytes, { config });
    inTidy(() => {
      const run = (net: TinyNet): tf.Tensor => net.call(tensorOf(expected.ids), tensorOf(expected.image));
      expect(flatten(run(other))).toEqual(flatten(run(model)));
    });
    for (const one of [model, other]) one.dispose();
  });

  it('refuses what PEFT cannot have, with the reason', async () => {
    const refused = async (make: () => nn.Module, register: (layer: nn.Module) => void): Promise<string> => {
      const model = new nn.Sequential(make());
      register(model[0] as nn.Module);
      const error = (await savedBy(model).catch((one: unknown) => one)) as Error & { code: string };
      model.dispose();
      return `${error.code}: ${error.message}`;
    };
    const small = { rank: 1 };
    expect([
      await refused(
        () => new nn.ConvTranspose2d(2, 3, 2),
        (layer) => void lora(layer as nn.Linear, small),
      ),
      await refused(
        () => new nn.Conv2d(2, 4, 2, { groups: 2 }),
        (layer) => void lora(layer as nn.Linear, small),
      ),
      await refused(
        () => new nn.GRUCell(2, 3),
        (layer) => void lora(layer as nn.GRUCell, 'weight_ih', small),
      ),
      await refused(
        () => new nn.Linear(2, 3),
        () => {},
      ),
    ]).toMatchInlineSnapshot(`
      [
        "UNSUPPORTED: saveAdapter: the adapter of '0.weight' cannot be saved: PEFT has no adapters of transposed convolutions. Save the model with saveCheckpoint.",
        "UNSUPPORTED: saveAdapter: the adapter of '0.weight' cannot be saved: an adapter of PEFT for a convolution with groups is no change of its weight. Save the model with saveCheckpoint.",
        "UNSUPPORTED: saveAdapter: the adapter of '0.weight_ih' cannot be saved: PEFT has adapters of 'weight' only, not of 'weight_ih'. Save the model with saveCheckpoint.",
        "OPTION: saveAdapter: the model has no adapter 'default'. It has: none.",
      ]
    `);
    const mixed = new nn.Sequential(new nn.Linear(3, 3), new nn.Linear(3, 3));
    lora(mixed[0] as nn.Linear, small);
    dora(mixed[1] as nn.Linear, small);
    await expect(savedBy(mixed)).rejects.toThrow(/differ in dora/);
    await expect(saveAdapter(mixed, 'a.bin')).rejects.toMatchObject({ code: 'OPTION' });
    for (const options of [{ adapter: 3 }, { modulesToSave: '0' }, { modulesToSave: ['head'] }]) {
      await expect(savedBy(mixed, options)).rejects.toMatchObject({ code: 'OPTION' });
    }
    mixed.dispose();
  });
});
