import { readdirSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, writeSafetensors } from '../../../src/checkpoint/index.ts';
import { nn, orthogonal, spectralNorm, weightNorm } from '../../../src/index.ts';
import * as legacy from '../../../src/legacy/index.ts';
import { bytesOf } from '../stateDictFiles.ts';
import { Cnn, imagesOf, logitsOf, type Normalize, Rnn } from './networks.ts';

const within = { relative: 0, absolute: 1e-4 };

const files = readdirSync(new URL('../files/networks/', import.meta.url)).sort();

const hosts: Record<string, Normalize> = {
  plain: () => {},
  weightNorm: (layer, name) => void weightNorm(layer, name),
  'legacy.weightNorm': (layer, name) => void legacy.weightNorm(layer, name),
  spectralNorm: (layer, name) => void spectralNorm(layer, name),
  'legacy.spectralNorm': (layer, name) => void legacy.spectralNorm(layer, name),
};

const orthogonalHost: Normalize = (layer, name) => void orthogonal(layer, name);

function checkLogits(network: nn.Module, name: string): void {
  tf.tidy(() => {
    expect(network.call(imagesOf()) as tf.Tensor).toBeAllClose(logitsOf(name), within);
  });
}

/** What a module has, bit for bit. */
async function stateOf(module: nn.Module): Promise<Record<string, number[]>> {
  const state: Record<string, number[]> = {};
  for (const [key, value] of Object.entries(module.stateDict())) state[key] = [...(await value.data())];
  return state;
}

describe.each(files)('the network %s', (file) => {
  const name = file.split('.')[0]!;
  const isRnn = name.includes('rnn');
  const kind = name.includes('spectral') ? 'spectralNorm' : 'weightNorm';
  const fitting = isRnn ? [] : ['plain', kind, `legacy.${kind}`];

  it.each(fitting)('gives the logits of torch in %s layers', async (host) => {
    const network = new Cnn(hosts[host]);
    const report = await loadCheckpoint(network, bytesOf(`networks/${file}`));
    checkLogits(network, name);
    expect(report.missing).toEqual([]);
    expect(report.unexpected).toEqual([]);
    expect(report.folded.map(({ to }) => to[0])).toEqual(
      host === 'plain'
        ? ['features.0.weight', 'features.2.weight', 'features.4.weight', 'classifier.weight']
        : [],
    );
    expect(report.prefix).toBe(file.includes('.full.') ? 'model.' : '');
    network.dispose();
  });

  it.runIf(isRnn)('gives the logits of torch with an orthogonal matrix', async () => {
    const network = new Rnn(orthogonalHost);
    await loadCheckpoint(network, new Blob([bytesOf(`networks/${file}`).slice()]));
    checkLogits(network, name);
    network.dispose();
  });
});

describe('loadCheckpoint', () => {
  const weightNormed = bytesOf('networks/mnist_cnn_weight_norm.safetensors');

  /** A file whose keys are renamed. */
  async function renamed(prefixes: readonly string[], more: tf.NamedTensorMap = {}): Promise<Uint8Array> {
    const network = new Cnn();
    await loadCheckpoint(network, weightNormed);
    const entries = prefixes.flatMap((prefix) =>
      Object.entries(network.stateDict()).map(([key, value]) => [prefix + key, value]),
    );
    const bytes = await writeSafetensors({ ...Object.fromEntries(entries), ...more });
    network.dispose();
    tf.dispose(more);
    return bytes;
  }

  it.each(['module.', 'model.', 'state_dict.module.', 'generator.', 'model.module.net.'])(
    'finds what stands below %s',
    async (prefix) => {
      const extra = { 'optimizer.state.0.step': tf.scalar(1), epoch: tf.scalar(3) };
      const network = new Cnn();
      const report = await loadCheckpoint(network, await renamed([prefix], extra));
      checkLogits(network, 'mnist_cnn_weight_norm');
      expect(report.prefix).toBe(prefix);
      expect([...report.skipped].sort()).toEqual(['epoch', 'optimizer.state.0.step']);
      network.dispose();
    },
  );

  it('asks which, of two state dicts that fit equally well', async () => {
    const bytes = await renamed(['model.', 'ema.']);
    const network = new Cnn();
    await expect(loadCheckpoint(network, bytes)).rejects.toMatchObject({
      code: 'AMBIGUOUS',
      message: expect.stringMatching(/'model\.'.*'ema\.'|'ema\.'.*'model\.'/),
    });
    const report = await loadCheckpoint(network, bytes, { prefix: 'ema' });
    expect(report.prefix).toBe('ema.');
    checkLogits(network, 'mnist_cnn_weight_norm');
    await expect(loadCheckpoint(network, bytes, { prefix: 'emma' })).rejects.toMatchObject({
      code: 'OPTION',
      message: expect.stringContaining("'ema'"),
    });
    network.dispose();
  });

  it('renames by a function or a table, whole keys and paths', async () => {
    const network = new Cnn();
    const odd = await renamed(['x.']);
    for (const rename of [
      (key: string) => (key.startsWith('surplus') ? null : key),
      { 'nothing.here': null, features: 'features' },
    ]) {
      await loadCheckpoint(network, odd, { rename });
      checkLogits(network, 'mnist_cnn_weight_norm');
    }
    const report = await loadCheckpoint(network, odd, { rename: { 'classifier.bias': null }, strict: false });
    expect(report.skipped).toEqual(['x.classifier.bias']);
    expect(report.missing).toEqual(['classifier.bias']);
    class Renamed extends nn.Module {
      body = new nn.Sequential(new nn.Linear(216, 10));
      forward(x: tf.Tensor): tf.Tensor {
        return this.body.call(x) as tf.Tensor;
      }
    }
    const other = new Renamed();
    const loaded = await loadCheckpoint(other, odd, {
      rename: { classifier: 'body.0', 'classifier.bias': 'body.0.bias', features: null },
    });
    expect(loaded.mapped).toEqual([
      { from: ['x.classifier.bias'], to: ['body.0.bias'], actions: [] },
      { from: ['x.classifier.weight'], to: ['body.0.weight'], actions: [] },
    ]);
    await expect(loadCheckpoint(other, odd, { rename: () => 'same' })).rejects.toMatchObject({
      code: 'OPTION',
    });
    await expect(loadCheckpoint(other, odd, { rename: { clasifier: 'body.0' } })).rejects.toMatchObject({
      code: 'OPTION',
      message: expect.stringContaining("'clasifier'"),
    });
    await loadCheckpoint(other, odd, {
      rename: { classifier: 'body.0', features: null, head: null },
    });
    network.dispose();
    other.dispose();
  });

  it('changes nothing when something is missing, unexpected or of another shape, and lists all of it', async () => {
    const network = new Cnn(hosts['weightNorm']);
    const before = await stateOf(network);
    const one = tf.ones([3]);
    const bytes = await renamed(['']);
    const cases: [Uint8Array, RegExp][] = [
      [await writeSafetensors({ 'features.0.bias': one }), /features\.0\.bias.*\[3\].*\[12\].*missing/],
      [await renamed([''], { surplus: tf.ones([3]) }), /unexpected: surplus/],
      [bytesOf('networks/mnist_rnn_orthogonal.pt'), /missing/],
    ];
    one.dispose();
    for (const [file, text] of cases) {
      await expect(loadCheckpoint(network, file)).rejects.toMatchObject({
        name: 'StateDictError',
        message: expect.stringMatching(text),
      });
      expect(await stateOf(network)).toEqual(before);
    }
    await expect(loadCheckpoint(network, bytes.subarray(0, 5000))).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(await stateOf(network)).toEqual(before);
    network.dispose();
  });

  it('reports what it did as a table', async () => {
    const network = new Cnn();
    const report = await loadCheckpoint(network, bytesOf('networks/mnist_cnn_weight_norm.full.pt'));
    const table = String(report);
    expect(table).toMatch(/^prefix: model\.\nin the file +in the model +how\n/);
    expect(table).toMatch(
      /model\.classifier\.weight_g \+ model\.classifier\.weight_v +classifier\.weight +g · v \/ ‖v‖/,
    );
    expect(table).toMatch(/optimizer\.… \(36 tensors\) +— +skipped/);
    network.dispose();
  });

  it('keeps tied tensors one: they are read once', async () => {
    class Tied extends nn.Module {
      base = nn.parameter(() => tf.zeros([24]));
      tied_a = nn.parameter(() => tf.zeros([24]));
      tied_b = this.base;
      forward(x: tf.Tensor): tf.Tensor {
        return x;
      }
    }
    const model = new Tied();
    const report = await loadCheckpoint(model, bytesOf('statedicts/views_and_strides.pt'), { strict: false });
    expect(report.missing).toEqual([]);
    expect([...(await model.tied_b.data())]).toEqual([...Array(24).keys()]);
    model.dispose();
  });

  it.each([
    ['no module', () => loadCheckpoint({} as never, weightNormed), 'UNSUPPORTED_HOST'],
    [
      'an option that does not exist',
      (m: nn.Module) => loadCheckpoint(m, weightNormed, { strickt: 1 } as never),
      'OPTION',
    ],
    ...Object.entries({
      prefix: 3,
      rename: ['0'],
      'rename of a key': 3,
      strict: 'no',
      catalog: null,
      onProgress: true,
      signal: 3,
      checkCrc: 'yes',
    }).map(([option, value]): [string, (m: nn.Module) => Promise<unknown>, string] => [
      `${option} of another type`,
      (m) => {
        const options = option === 'rename of a key' ? { rename: { '0': value } } : { [option]: value };
        return loadCheckpoint(m, weightNormed, options as never);
      },
      'OPTION',
    ]),
    ['a scheme that nobody knows', (m: nn.Module) => loadCheckpoint(m, 'gopher://x/y'), 'OPTION'],
    [
      'no checkpoint',
      (m: nn.Module) => loadCheckpoint(m, bytesOf('badfiles/other_html.safetensors')),
      'NOT_A_CHECKPOINT',
    ],
    [
      'a hostile file',
      (m: nn.Module) => loadCheckpoint(m, bytesOf('badfiles/pt_os_system_global.pt')),
      'UNSAFE',
    ],
  ])('refuses %s', async (_, run, code) => {
    const model = new nn.Linear(2, 1);
    await expect(run(model)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^loadCheckpoint: /),
    });
    model.dispose();
  });
});
