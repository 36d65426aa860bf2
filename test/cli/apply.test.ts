import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import {
  catalog,
  nn,
  orthogonal,
  type Recipe,
  recipeOf,
  spectralNorm,
  symmetric,
  unitNorm,
  weightNorm,
} from 'tfjs-parametrize';
import {
  loadCheckpoint,
  readSafetensors,
  readTorch,
  saveCheckpoint,
  writeSafetensors,
} from 'tfjs-parametrize/checkpoint';
import { afterAll, describe, expect, it } from 'vitest';
import { call } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'apply-'));
const [input, recipePath, output, again] = [
  'in.safetensors',
  'recipe.json',
  'out.safetensors',
  'again.safetensors',
].map((name) => join(folder, name)) as [string, string, string, string];

afterAll(() => rmSync(folder, { recursive: true }));

const fileIn = (path: string) => readSafetensors(new Uint8Array(readFileSync(path)));

function keysIn(path: string): string[] {
  const { tensors } = fileIn(path);
  tf.dispose(tensors);
  return Object.keys(tensors);
}

const statedict = (name: string): string =>
  fileURLToPath(new URL(`../checkpoint/files/statedicts/${name}`, import.meta.url));

const square = (): nn.Linear => new nn.Linear(3, 3);

/** Saves the plain weights of a model, and its recipe. */
async function prepare(
  model: nn.Module,
  change: (recipe: Recipe) => unknown = (recipe) => recipe,
): Promise<void> {
  await saveCheckpoint(model, input, { keyFormat: 'folded' });
  writeFileSync(recipePath, JSON.stringify(change(recipeOf(model))));
}

const registrations: Record<string, (layer: nn.Linear) => unknown> = {
  weightNorm: (layer) => weightNorm(layer),
  orthogonal: (layer) => orthogonal(layer),
  symmetric: (layer) => symmetric(layer),
  unitNorm: (layer) => unitNorm(layer),
};

/** Writes a recipe that registers weightNorm on these tensors. */
const writeRecipe = (...names: string[]): void =>
  writeFileSync(
    recipePath,
    JSON.stringify({
      version: 1,
      parametrizations: names.map((name) => {
        const at = name.lastIndexOf('.');
        const steps = [{ kind: 'weightNorm', options: {} }];
        return { path: name.slice(0, Math.max(at, 0)), tensor: name.slice(at + 1), steps };
      }),
    }),
  );

/** Expects the fold of a file to have these tensors within rounding. */
async function expectFolds(path: string, wanted: tf.NamedTensorMap): Promise<void> {
  const { code } = await call('fold', path, '-o', again);
  expect(code).toBe(0);
  const { tensors } = fileIn(again);
  expect(Object.keys(tensors).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, tensor] of Object.entries(wanted)) {
    const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(tensor, tensors[name]!))).dataSync()[0]!);
    expect(difference, name).toBeLessThan(1e-5);
  }
  tf.dispose(tensors);
}

describe('apply', () => {
  it.each(Object.entries(registrations))(
    'and fold give the tensors back, with %s',
    async (kind, register) => {
      const model = new nn.Sequential(square(), square());
      register(model[0] as nn.Linear);
      await prepare(model);
      const applied = await call('apply', recipePath, input, '-o', output);
      expect(applied).toEqual({
        code: 0,
        error: '',
        out: `parametrized 1 tensor\n${output}: ${keysIn(output).length} tensors`,
      });
      expect(keysIn(output)).toEqual(Object.keys(model.stateDict()).sort());
      const { metadata, tensors } = fileIn(output);
      expect(JSON.parse(metadata['tfjs-parametrize']!)).toEqual(recipeOf(model));
      tf.dispose(tensors);
      expect((await call('inspect', output)).out).toMatch(new RegExp(`^0\\.weight +${kind}`, 'm'));
      await call('fold', output, '-o', again);
      const [before, after] = [fileIn(input).tensors, fileIn(again).tensors];
      expect(Object.keys(after)).toEqual(Object.keys(before));
      for (const [name, tensor] of Object.entries(before)) {
        const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(tensor, after[name]!))).dataSync()[0]!);
        expect(difference, name).toBeLessThan(1e-5);
      }
      tf.dispose([before, after]);
      model.dispose();
    },
  );

  it('writes the names of older versions of torch, and files that a catalog follows', async () => {
    const model = new nn.Sequential(weightNorm(square()), spectralNorm(square()));
    await prepare(model);
    const { code, error } = await call('apply', recipePath, input, '-o', output, '--key-format', 'legacy');
    expect([code, error]).toEqual([0, '']);
    expect(keysIn(output)).toEqual([
      '0.bias',
      '0.weight_g',
      '0.weight_v',
      '1.bias',
      '1.weight_orig',
      '1.weight_u',
      '1.weight_v',
    ]);
    const plain = new nn.Sequential(square(), square());
    const { registered } = await loadCheckpoint(plain, output, { catalog });
    expect(registered).toEqual(['0.weight', '1.weight']);
    plain.dispose();
    model.dispose();
  });

  it('is refused without an output, for other tensors, parametrized ones and unknown kinds', async () => {
    const model = new nn.Sequential(weightNorm(square()));
    const refusals: string[] = [];
    const tried = async (change: (recipe: Recipe) => unknown): Promise<void> => {
      rmSync(output, { force: true });
      await prepare(model, change);
      const { code, error } = await call('apply', recipePath, input, '-o', output);
      refusals.push(`${code} ${error}`);
      expect(existsSync(output)).toBe(false);
    };
    const entry = recipeOf(model).parametrizations[0]!;
    const only = (change: object) => () => ({ version: 1, parametrizations: [{ ...entry, ...change }] });
    await tried(only({ tensor: 'weigth' }));
    await tried(only({ steps: [{ kind: 'own', options: {} }] }));
    await tried(only({ steps: [{ kind: 'weightNorm', options: { dims: 1 } }] }));
    await tried(only({ path: '0.parametrizations.weight', tensor: 'original1' }));
    await tried(() => '[]');
    await tried(() => ({ version: 3 }));
    await saveCheckpoint(model, input);
    refusals.push((await call('apply', recipePath, input, '-o', output)).error);
    writeFileSync(recipePath, JSON.stringify(recipeOf(model)));
    refusals.push((await call('apply', recipePath, input, '-o', output)).error);
    refusals.push((await call('apply', recipePath, '-o', output)).error);
    refusals.push((await call('apply', recipePath, input, '-o', input)).error.replaceAll(folder, ''));
    expect(existsSync(output)).toBe(false);
    expect(refusals).toMatchInlineSnapshot(`
      [
        "1 error: the file has no plain tensor '0.weigth' (nearest: '0.weight', '0.bias'). Correct the paths of the recipe, or pass --prefix. [UNKNOWN_TENSOR]",
        "1 error: the tensor '0.weight' is parametrized by 'own', which this program does not know. Register it where its model is, and save that with saveCheckpoint. [UNKNOWN_RECIPE]",
        "2 error: the recipe of '0.weight' does not fit it: weightNorm: 'dims' is not an option. Did you mean 'dim'? It has: dim, eps, scale. [OPTION]",
        "1 error: the recipe has a tensor in the chain of '0.weight', and no steps of that. Write the recipe of the whole model. [CORRUPT]",
        "1 error: the recipe of parametrizations is not an object, it is string. The file is damaged or incomplete: get it again. [CORRUPT]",
        "1 error: the recipe of parametrizations has version 3, this package reads 1 and 2. Update the package. [UNKNOWN_RECIPE]",
        "error: the recipe of parametrizations has version 3, this package reads 1 and 2. Update the package. [UNKNOWN_RECIPE]",
        "error: the tensor '0.weight' of the file is parametrized already. Fold the file first, or leave the tensor out of the recipe. [CONFLICT]",
        "error: missing required argument 'file'",
        "error: --output is '/in.safetensors', a file that is read. Write to another one. [OPTION]",
      ]
    `);
    model.dispose();
  });

  it('reads the shards of an index, with the texts of all, and writes over none of them', async () => {
    const index = join(folder, 'model.safetensors.index.json');
    const tensors = tf.tidy(() => ({
      '0.weight': tf.randomNormal([3, 3]),
      '0.bias': tf.ones([3]),
      '1.weight': tf.randomNormal([2, 3]),
    }));
    const shards = ['a.safetensors', 'b.safetensors'].map((name) => join(folder, name)) as [string, string];
    const { '1.weight': last, ...others } = tensors;
    writeFileSync(shards[0], await writeSafetensors(others, { author: 'me' }));
    writeFileSync(shards[1], await writeSafetensors({ '1.weight': last }));
    const map = { '0.weight': 'a', '0.bias': 'a', '1.weight': 'b' };
    const weights = Object.fromEntries(
      Object.entries(map).map(([name, file]) => [name, `${file}.safetensors`]),
    );
    writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: weights }));
    writeRecipe('0.weight', '1.weight');
    const before = shards.map((path) => readFileSync(path));
    for (const target of [index, recipePath, ...shards]) {
      const { code, error } = await call('apply', recipePath, index, '-o', target);
      expect([code, error]).toEqual([2, expect.stringContaining('a file that is read')]);
    }
    expect(shards.map((path) => readFileSync(path))).toEqual(before);
    expect(await call('apply', recipePath, index, '-o', output)).toMatchObject({ code: 0, error: '' });
    expect(keysIn(output)).toEqual([
      '0.bias',
      ...['0', '1'].flatMap((path) =>
        ['original0', 'original1'].map((name) => `${path}.parametrizations.weight.${name}`),
      ),
    ]);
    const { metadata, tensors: parts } = fileIn(output);
    expect(metadata).toMatchObject({ author: 'me', format: 'pt' });
    expect(JSON.parse(metadata['tfjs-parametrize']!).parametrizations).toHaveLength(2);
    await expectFolds(output, tensors);
    tf.dispose([parts, tensors]);
  });

  it.each(['views_and_strides.pt', 'views_and_strides.legacy.pt'])(
    'reads views in %s of torch',
    async (name) => {
      const path = statedict(name);
      const { tensors } = readTorch(new Uint8Array(readFileSync(path)));
      writeRecipe('transposed', 'permuted');
      expect(await call('apply', recipePath, path, '-o', output)).toMatchObject({ code: 0, error: '' });
      const parts = ['transposed', 'permuted'].flatMap((tensor) =>
        ['original0', 'original1'].map((part) => `parametrizations.${tensor}.${part}`),
      );
      expect(keysIn(output)).toEqual(expect.arrayContaining(parts));
      await expectFolds(output, tensors);
      tf.dispose(tensors);
    },
  );

  it('refuses a tensor of several names, whichever the recipe has, and writes nothing', async () => {
    rmSync(output, { force: true });
    const torch = statedict('views_and_strides.pt');
    const weight = tf.ones([3, 2]);
    writeFileSync(
      input,
      await writeSafetensors({ 'embed.weight': weight }, { 'decoder.weight': 'embed.weight' }),
    );
    weight.dispose();
    const refusals: string[] = [];
    for (const [source, name] of [
      [torch, 'tied_a'],
      [torch, 'tied_b'],
      [input, 'embed.weight'],
      [input, 'decoder.weight'],
    ] as const) {
      writeRecipe(name);
      refusals.push((await call('apply', recipePath, source, '-o', output)).error);
      expect(existsSync(output)).toBe(false);
    }
    expect(refusals).toMatchInlineSnapshot(`
      [
        "error: the tensor 'tied_a' of the file has several names. Load the file into its model, parametrize that, and save it. [TIED]",
        "error: the tensor 'tied_b' of the file has several names. Load the file into its model, parametrize that, and save it. [TIED]",
        "error: the tensor 'embed.weight' of the file has several names. Load the file into its model, parametrize that, and save it. [TIED]",
        "error: the tensor 'decoder.weight' of the file has several names. Load the file into its model, parametrize that, and save it. [TIED]",
      ]
    `);
  });

  it('gives a tensor below --prefix the name that it has there, and keeps no name of what is left out', async () => {
    const weight = tf.ones([3, 2]);
    const bias = tf.ones([2]);
    writeFileSync(
      input,
      await writeSafetensors(
        { 'net.embed.weight': weight, 'net.bias': bias },
        {
          'net.decoder.weight': 'net.embed.weight',
          'net.out.0.weight': 'net.embed.weight',
          shift: 'net.bias',
        },
      ),
    );
    const metadataOf = async (...args: string[]) => {
      const { code, error } = await call(...args, '-o', output);
      expect([code, error]).toEqual([0, '']);
      const { metadata, tensors } = fileIn(output);
      const { 'tfjs-parametrize': _, ...others } = metadata;
      tf.dispose(tensors);
      return [Object.keys(tensors), others];
    };
    writeRecipe();
    expect(await metadataOf('apply', recipePath, input, '--prefix', 'net')).toEqual([
      ['bias', 'embed.weight'],
      { format: 'pt', 'decoder.weight': 'embed.weight', 'out.0.weight': 'embed.weight' },
    ]);
    writeRecipe('0.weight');
    expect(await metadataOf('apply', recipePath, input, '--prefix', 'net.out')).toEqual([
      ['0.parametrizations.weight.original0', '0.parametrizations.weight.original1'],
      { format: 'pt' },
    ]);
    await expectFolds(output, { '0.weight': weight });
    tf.dispose([weight, bias]);
  });
});
