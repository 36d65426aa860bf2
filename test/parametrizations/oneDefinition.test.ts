import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import { converted } from '../../src/checkpoint/convert/converted.ts';
import { openCheckpoint } from '../../src/checkpoint/file/openCheckpoint.ts';
import {
  loadCheckpoint,
  readSafetensors,
  saveCheckpoint,
  writeSafetensors,
} from '../../src/checkpoint/index.ts';
import {
  defineParametrization,
  describe as describeModel,
  fold,
  nn,
  Parametrization,
  parametrizationsOn,
  valueOf,
} from '../../src/index.ts';
import { definedCatalog } from '../../src/model/catalog.ts';
import { registerRecipes } from '../../src/stateDict/registerRecipes.ts';
import { tensorRecipes } from '../../src/stateDict/tensorRecipes.ts';
import '../../src/layers/index.ts';
import { masked } from './masked.ts';

const folder = mkdtempSync(join(tmpdir(), 'definition-'));
afterAll(() => rmSync(folder, { recursive: true }));

const values = [
  [1, -0.25],
  [0.1, 2],
];

const plainLayer = (): nn.Linear => {
  const layer = new nn.Linear(2, 2, { bias: false });
  tf.tidy(() => (layer.weight as tf.Variable).assign(tf.tensor2d(values)));
  return layer;
};

/** The weight that a file in memory has for a name, with every parametrization folded. */
async function foldedFrom(bytes: Uint8Array, name: string): Promise<number[]> {
  const file = await openCheckpoint('test', bytes);
  const { data, shape } = await converted(file, { keyFormat: 'folded' }).get(name)!.read();
  expect(shape).toHaveLength(2);
  await file.close();
  return [...(data as Float32Array)].map((value) => value + 0); // −0 is 0
}

describe('a map of one definition', () => {
  it('is registered by its name, and listed with its options', () => {
    const model = new nn.Sequential(plainLayer());
    const steps = [{ kind: 'masked', options: { threshold: 0.5 } }];
    registerRecipes(model, [{ path: '0', tensor: 'weight', steps }], definedCatalog());
    expect(String(describeModel(model))).toContain('Masked(threshold=0.5)');
    expect(tensorRecipes(model)).toEqual([{ path: '0', tensor: 'weight', steps }]);
    expect((model[0] as nn.Linear).weight).toBeAllClose([1, 0, 0, 2]);
    model.dispose();
  });

  it('refuses wrong options at the call, also on a layer without weights', () => {
    const layer = plainLayer();
    for (const host of [layer, tf.layers.dense({ units: 2 })]) {
      expect(() => masked(host, { threshold: -1 })).toThrow(
        expect.objectContaining({
          code: 'OPTION',
          message: 'masked: threshold is -1, it must be a number of at least 0.',
        }),
      );
    }
    layer.dispose();
  });

  it('is saved and loaded with its recipe and state, in nn and in tf.layers', async () => {
    const file = join(folder, 'masked.safetensors');
    const model = new nn.Sequential(masked(plainLayer(), { threshold: 0.5 }));
    await saveCheckpoint(model, file);
    const other = new nn.Sequential(plainLayer());
    const layers = tf.sequential({
      layers: [tf.layers.dense({ units: 2, useBias: false, inputShape: [2] })],
    });
    expect((await loadCheckpoint(other, file, { catalog: { masked } })).registered).toEqual(['0.weight']);
    await loadCheckpoint(layers, file, { catalog: { masked } });
    expect(String(parametrizationsOn(other[0] as nn.Linear, 'weight')[0])).toBe('Masked(threshold=0.5)');
    expect((other[0] as nn.Linear).weight).toBeAllClose([1, 0, 0, 2]);
    expect(String(parametrizationsOn(layers.layers[0]!, 'kernel')[0])).toBe('Masked(threshold=0.5)');
    expect(valueOf(layers.layers[0]!, 'kernel')).toBeAllClose([1, 0, 0, 2]);
    expect(layers.layers[0]!.weights.map(({ shape }) => shape)).toEqual([
      [2, 2],
      [2, 2],
    ]);
    // And back: torch's names and layout.
    const again = join(folder, 'again.safetensors');
    await saveCheckpoint(layers, again, { keyFormat: 'legacy' });
    const { tensors } = readSafetensors(readFileSync(again));
    expect(Object.keys(tensors).map((name) => name.split('.').at(-1))).toEqual([
      'weight_mask',
      'weight_orig',
    ]);
    tf.dispose(tensors);
    for (const one of [model, other, layers]) one.dispose();
  });

  it('is folded live, and from state dicts with its names in torch', () => {
    const model = new nn.Sequential(masked(plainLayer(), { threshold: 0.5 }));
    const plain = new nn.Sequential(plainLayer());
    const state = tf.tidy(() => model.stateDict({ keyFormat: 'legacy' }));
    expect(Object.keys(state)).toEqual(['0.weight_orig', '0.weight_mask']);
    expect(plain.loadStateDict(state).mapped).toEqual([
      {
        from: ['0.weight_orig', '0.weight_mask'],
        to: ['0.weight'],
        actions: [{ kind: 'fold', by: 'masked' }],
      },
    ]);
    expect(fold(model)).toEqual(['0.weight']);
    for (const one of [model, plain]) {
      expect((one[0] as nn.Linear).weight).toBeAllClose([1, 0, 0, 2]);
      one.dispose();
    }
  });

  it('is folded in files: by its names without a backend, by its recipe', async () => {
    const model = new nn.Sequential(masked(plainLayer(), { threshold: 0.5 }));
    const bytes = await writeSafetensors(model.stateDict({ keyFormat: 'legacy' }));
    expect(await foldedFrom(bytes, '0.weight')).toEqual([1, 0, 0, 2]);
    const file = join(folder, 'recipe.safetensors');
    await saveCheckpoint(model, file);
    expect(await foldedFrom(readFileSync(file), '0.weight')).toEqual([1, 0, 0, 2]);
    model.dispose();
  });
});

/** `W = U·Vᵀ` of rank one: no original has the shape of the weight. */
class Outer extends Parametrization {
  override forward(u: tf.Tensor, v: tf.Tensor): tf.Tensor {
    return tf.matMul(u, v, false, true);
  }

  override rightInverse(W: tf.Tensor): tf.Tensor[] {
    const [m, n] = W.shape as [number, number];
    return [tf.ones([m, 1]), tf.fill([n, 1], 2)];
  }

  override isPure(): boolean {
    return true;
  }
}

const outer = defineParametrization<Outer>({
  name: 'outer',
  class: Outer,
  options: {},
  originals: { U: {}, V: {} },
  shape: ([U, V]) => [U![0]!, V![0]!],
  make: () => new Outer(),
});

it('the shape of a tensor in a file is what the definition says', async () => {
  const model = new nn.Sequential(outer(new nn.Linear(3, 2, { bias: false })));
  const file = join(folder, 'outer.safetensors');
  await saveCheckpoint(model, file);
  expect(await foldedFrom(readFileSync(file), '0.weight')).toEqual([2, 2, 2, 2, 2, 2]);
  model.dispose();
});
