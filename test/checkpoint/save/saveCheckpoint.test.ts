import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCheckpoint, readSafetensors, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import {
  defineParametrization,
  isParametrized,
  nn,
  orthogonal,
  Parametrization,
  parametrize,
  pure,
  recipeOf,
  registerParametrization,
  skew,
  spectralNorm,
  symmetric,
  weightNorm,
} from '../../../src/index.ts';
import * as legacy from '../../../src/legacy/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true }));

class Scaled extends Parametrization {
  readonly factor: number;
  constructor(options: { factor?: number } = {}) {
    super();
    this.factor = this.checkedOptions(options).factor;
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.factor);
  }
  override rightInverse(x: tf.Tensor): tf.Tensor {
    return tf.div(x, this.factor);
  }
  override isPure(): boolean {
    return true;
  }
}

const scaled = defineParametrization<Scaled, { factor?: number }>({
  name: 'scaled',
  class: Scaled,
  options: { factor: { default: 1, expected: 'a number', accepts: Number.isFinite } },
  make: (_, options) => new Scaled(options),
});

/** A module with every kind of parametrization on it, or none. */
class Net extends nn.Module {
  first = new nn.Linear(3, 4);
  conv = new nn.Conv1d(4, 2, 3);
  square = new nn.Linear(4, 4, { bias: false });
  last = new nn.ConvTranspose1d(2, 3, 2);
  scaled = new nn.Linear(4, 4);

  forward(x: tf.Tensor): tf.Tensor {
    return this.square.call(this.first.call(x));
  }
}

const catalog = {
  weightNorm,
  spectralNorm,
  orthogonal,
  symmetric,
  skew,
  scaled,
};

function parametrized(): Net {
  const net = new Net();
  weightNorm(net.first, 'weight', { dim: 1, eps: 1e-6 });
  weightNorm(net.last, 'weight', { dim: null });
  spectralNorm(net.conv, 'weight', { nPowerIterations: 2 });
  orthogonal(net.square, 'weight', { orthogonalMap: 'cayley' });
  symmetric(net.scaled);
  scaled(net.scaled, { factor: 3 });
  return net.eval();
}

async function stateOf(module: nn.Module): Promise<Record<string, number[]>> {
  const state: Record<string, number[]> = {};
  for (const [key, value] of Object.entries(module.stateDict())) state[key] = [...(await value.data())];
  return state;
}

async function dispose(...modules: nn.Module[]): Promise<void> {
  for (const module of modules) module.dispose();
}

const path = join(folder, 'model.safetensors');

describe('a saved module', () => {
  it.each(['modern', 'legacy', undefined] as const)(
    'comes back from the key format %s with equal originals, bit for bit',
    async (keyFormat) => {
      const [net, second] = [parametrized(), parametrized()];
      await saveCheckpoint(net, path, keyFormat === undefined ? {} : { keyFormat });
      const report = await loadCheckpoint(second, path);
      expect(report.unexpected).toEqual([]);
      expect(await stateOf(second)).toEqual(await stateOf(net));
      await dispose(net, second);
    },
  );

  it('comes back from hooked modules, and into them', async () => {
    const make = (): nn.Linear => legacy.weightNorm(new nn.Linear(3, 2)) as unknown as nn.Linear;
    const [net, second, modern] = [make(), make(), weightNorm(new nn.Linear(3, 2))];
    for (const keyFormat of ['modern', 'legacy'] as const) {
      await saveCheckpoint(net, path, { keyFormat });
      await loadCheckpoint(second, path);
      await loadCheckpoint(modern, path);
      expect(await stateOf(second)).toEqual(await stateOf(net));
      expect(Object.values(await stateOf(modern)).sort()).toEqual(Object.values(await stateOf(net)).sort());
    }
    await dispose(net, second, modern);
  });

  it('comes back from the key format folded with equal weights, in a plain module', async () => {
    const [net, plain] = [parametrized(), new Net()];
    await saveCheckpoint(net, path, { keyFormat: 'folded' });
    expect(readFileSync(path, 'latin1')).not.toContain('parametrizations');
    await loadCheckpoint(plain, path, { catalog });
    expect(isParametrized(plain.first)).toBe(false);
    const folded = net.stateDict({ keyFormat: 'folded' });
    for (const [key, value] of Object.entries(plain.stateDict())) {
      expect([...(await value.data())], key).toEqual([...(await folded[key]!.data())]);
    }
    tf.dispose(folded);
    await dispose(net, plain);
  });

  it('describes itself: a plain module is parametrized again from the catalog', async () => {
    const [net, plain] = [parametrized(), new Net().eval()];
    await saveCheckpoint(net, path, { keyFormat: 'legacy', metadata: { author: 'me' } });
    const report = await loadCheckpoint(plain, path, { catalog });
    expect(report.registered).toEqual([
      'first.weight',
      'conv.weight',
      'square.weight',
      'last.weight',
      'scaled.weight',
    ]);
    expect(String(report)).toContain('registered by the recipe: first.weight');
    expect(await stateOf(plain)).toEqual(await stateOf(net));
    expect(plain.toString()).toBe(net.toString());
    const again = await loadCheckpoint(plain, path, { catalog });
    expect(again.registered).toEqual([]);
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(path)));
    tf.dispose(tensors);
    expect(metadata['author']).toBe('me');
    expect(JSON.parse(metadata['tfjs-parametrize']!)).toMatchObject({
      version: 1,
      parametrizations: [
        {
          path: 'first',
          tensor: 'weight',
          steps: [{ kind: 'weightNorm', options: { dim: [1], eps: 1e-6 } }],
        },
        {
          path: 'conv',
          tensor: 'weight',
          steps: [{ kind: 'spectralNorm', options: { nPowerIterations: 2, dim: 0 } }],
        },
        {
          path: 'square',
          steps: [{ kind: 'orthogonal', options: { orthogonalMap: 'cayley', useTrivialization: true } }],
        },
        { path: 'last', steps: [{ kind: 'weightNorm', options: { dim: null } }] },
        { path: 'scaled', steps: [{ kind: 'symmetric' }, { kind: 'scaled', options: { factor: 3 } }] },
      ],
    });
    await dispose(net, plain);
  });

  it('keeps the kinds of a catalog whose maps have no definition, through any number of files', async () => {
    class Shifted extends Parametrization {
      readonly shift: number;
      constructor(shift: number) {
        super();
        this.shift = shift;
      }
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.add(x, this.shift);
      }
      override rightInverse(x: tf.Tensor): tf.Tensor {
        return tf.sub(x, this.shift);
      }
    }
    const myMaps = {
      shifted: (host: nn.Linear, name: 'weight', { shift = 0 } = {}) =>
        registerParametrization(host, name, new Shifted(shift)),
      negated: (host: nn.Linear, name: 'weight') => registerParametrization(host, name, pure(tf.neg)),
    };
    const make = () => new nn.Sequential(new nn.Linear(3, 2));
    const model = make();
    const options = { shift: 2 };
    parametrize(model, [{ apply: 'shifted', options }, { apply: 'negated' }], { catalog: myMaps });
    const { parametrizations } = recipeOf(model);
    const models = [model];
    for (let i = 0; i < 2; i++) {
      await saveCheckpoint(models.at(-1)!, path);
      models.push(make());
      await loadCheckpoint(models.at(-1)!, path, { catalog: myMaps });
      expect(recipeOf(models.at(-1)!).parametrizations).toEqual(parametrizations);
      expect(await stateOf(models.at(-1)!)).toEqual(await stateOf(model));
    }
    expect(parametrizations[0]!.steps).toEqual([
      { kind: 'shifted', options },
      { kind: 'negated', options: {} },
    ]);
    await dispose(...models);
  });

  it('is folded into a plain module without a catalog, where its key format says how', async () => {
    const [net, plain] = [weightNorm(new nn.Linear(3, 2)), new nn.Linear(3, 2)];
    await saveCheckpoint(net, path);
    const report = await loadCheckpoint(plain, path);
    expect(report.folded.map(({ to }) => to)).toEqual([['weight']]);
    expect(isParametrized(plain)).toBe(false);
    await dispose(net, plain);
  });

  it('is refused by name where the catalog lacks a kind, and nothing is changed', async () => {
    const [net, plain] = [parametrized(), new Net().eval()];
    await saveCheckpoint(net, path);
    const before = await stateOf(plain);
    const { scaled: _, ...others } = catalog;
    await expect(loadCheckpoint(plain, path, { catalog: others })).rejects.toMatchObject({
      name: 'CheckpointError',
      code: 'UNKNOWN_RECIPE',
      message: expect.stringMatching(/'scaled\.weight' was parametrized by 'scaled'.*it has weightNorm/),
    });
    await expect(
      loadCheckpoint(plain, path, { catalog: { ...catalog, scaled: 1 } as never }),
    ).rejects.toMatchObject({ code: 'UNKNOWN_RECIPE' });
    // A kind that is a property of every object is no kind of the catalog.
    const text = readFileSync(path, 'latin1');
    for (const kind of ['toString', '__proto__']) {
      const hostile = Buffer.from(
        text.replaceAll('\\"kind\\":\\"scaled\\"', `\\"kind\\":\\"${kind}\\"`).replace(/^.{8}/s, ''),
        'latin1',
      );
      const length = Number(Buffer.from(text, 'latin1').readBigUInt64LE());
      const header = Buffer.alloc(8);
      header.writeBigUInt64LE(BigInt(length + hostile.length + 8 - text.length));
      await expect(
        loadCheckpoint(plain, Buffer.concat([header, hostile]), { catalog }),
      ).rejects.toMatchObject({
        code: 'UNKNOWN_RECIPE',
      });
    }
    expect(await stateOf(plain)).toEqual(before);
    expect(isParametrized(plain.first)).toBe(false);
    await dispose(net, plain);
  });

  it('is refused where the model has no such module, or the version is a later one', async () => {
    const net = weightNorm(new nn.Linear(3, 2));
    const model = new nn.Linear(3, 2);
    const metadata = (recipe: object) => ({ metadata: { 'tfjs-parametrize': JSON.stringify(recipe) } });
    const steps = [{ kind: 'weightNorm', options: {} }];
    for (const [recipe, code] of [
      [{ version: 1, parametrizations: [{ path: 'a', tensor: 'weight', steps }] }, 'UNKNOWN_RECIPE'],
      [{ version: 3 }, 'UNKNOWN_RECIPE'],
      [{ version: 1, parametrizations: 3 }, 'CORRUPT'],
      [[], 'CORRUPT'],
    ] as const) {
      await saveCheckpoint(net, path, { ...metadata(recipe), keyFormat: 'folded' });
      await expect(loadCheckpoint(model, path, { catalog })).rejects.toMatchObject({ code });
      await loadCheckpoint(model, path);
    }
    await dispose(net, model);
  });

  it('is what the module was at the call, also if it changes before the file is written', async () => {
    const [net, second] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
    const before = await stateOf(net);
    const saving = saveCheckpoint(net, path);
    tf.tidy(() => (net.weight as tf.Variable).assign(tf.zeros([2, 2])));
    await saving;
    await loadCheckpoint(second, path);
    expect(await stateOf(second)).toEqual(before);
    await dispose(net, second);
  });
});

describe('a checkpoint can be saved to, and loaded from,', () => {
  const stored = new Map<string, tf.io.ModelArtifacts>();
  const memory = (key: string): tf.io.IOHandler => ({
    save: async (artifacts) => {
      stored.set(key, structuredClone(artifacts));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
    load: async () => stored.get(key)!,
  });
  const router = (url: string | string[]): tf.io.IOHandler =>
    typeof url === 'string' && url.startsWith('shelf://') ? memory(url) : (null as never);
  tf.io.registerSaveRouter(router);
  tf.io.registerLoadRouter(router);

  it.each([
    ['a path', () => join(folder, 'a.safetensors')],
    ['a file: URL', () => pathToFileURL(join(folder, 'b c.safetensors'))],
    ['the text of a file: URL', () => String(pathToFileURL(join(folder, 'd.safetensors')))],
    ['an IOHandler', () => memory('handler')],
    ['a URL of tf.io', () => 'shelf://model'],
  ])('%s', async (_, place) => {
    const [net, plain] = [parametrized(), new Net().eval()];
    await saveCheckpoint(net, place());
    const report = await loadCheckpoint(plain, place(), { catalog });
    expect(report.registered).toHaveLength(5);
    expect(await stateOf(plain)).toEqual(await stateOf(net));
    await dispose(net, plain);
  });

  it('a stream', async () => {
    const [net, second] = [parametrized(), parametrized()];
    const pieces: Uint8Array[] = [];
    await saveCheckpoint(net, new WritableStream<Uint8Array>({ write: (piece) => void pieces.push(piece) }));
    await loadCheckpoint(second, new Blob(pieces.map((piece) => piece.slice())));
    expect(await stateOf(second)).toEqual(await stateOf(net));
    await dispose(net, second);
  });

  it('not where nothing can be written, and what was there stays', async () => {
    const net = new nn.Linear(1, 1);
    await expect(saveCheckpoint(net, join(folder, 'missing', 'x.safetensors'))).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringMatching(/^saveCheckpoint: .*ENOENT/),
    });
    await expect(saveCheckpoint(net, 'indexeddb://x')).rejects.toMatchObject({ code: 'OPTION' });
    await expect(saveCheckpoint(net, 'https://example.org/x')).rejects.toMatchObject({ code: 'OPTION' });
    await expect(saveCheckpoint(net, join(folder, 'x.PT'))).rejects.toMatchObject({
      code: 'OPTION',
      message: expect.stringMatching(/^saveCheckpoint: the target is .*x\.PT.*safetensors/),
    });
    await expect(saveCheckpoint(net, 7 as never)).rejects.toMatchObject({ code: 'OPTION' });
    await expect(saveCheckpoint({} as never, path)).rejects.toMatchObject({ code: 'UNSUPPORTED_HOST' });
    writeFileSync(path, 'precious');
    await expect(saveCheckpoint(net, path, { metadata: { a: 1 as never } })).rejects.toMatchObject({
      code: 'OPTION',
    });
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    net.dispose();
  });
});
