import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { loadCheckpoint, readSafetensors, saveCheckpoint } from 'tfjs-parametrize/checkpoint';
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
        "2 error: the recipe of '0.weight' does not fit it: weightNorm: 'dims' is not an option. Did you mean 'dim'? It has: dim, eps. [OPTION]",
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
});
