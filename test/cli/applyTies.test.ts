import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { catalog, nn, type Recipe, recipeOf } from 'tfjs-parametrize';
import { loadCheckpoint, readSafetensors, writeSafetensors } from 'tfjs-parametrize/checkpoint';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { call } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'apply-ties-'));
const [input, recipePath, output] = ['in.safetensors', 'recipe.json', 'out.safetensors'].map((name) =>
  join(folder, name),
) as [string, string, string];

afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(output, { force: true }));

type Values = Readonly<Record<string, readonly (readonly number[])[]>>;

async function write(values: Values, metadata: Record<string, string> = {}): Promise<void> {
  const tensors = Object.fromEntries(
    Object.entries(values).map(([name, rows]) => [name, tf.tensor2d(rows as number[][])]),
  );
  writeFileSync(input, await writeSafetensors(tensors, metadata));
  tf.dispose(tensors);
}

function read(path: string) {
  const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(path)));
  const values = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tensor.arraySync()]),
  );
  tf.dispose(tensors);
  const { 'tfjs-parametrize': recipe, format: _, ...others } = metadata;
  return { values, others, recipe: recipe === undefined ? null : (JSON.parse(recipe) as Recipe) };
}

type Entry = Recipe['parametrizations'][number];

const tied = (name: string, source: string, transpose?: true): Entry => ({
  path: name,
  tensor: 'weight',
  steps: [],
  tiedTo: { path: source, tensor: 'weight', ...(transpose && { transpose }) },
});
const normed = (path: string): Entry => ({
  path,
  tensor: 'weight',
  steps: [{ kind: 'weightNorm', options: {} }],
});

async function applied(...parametrizations: Entry[]) {
  const isLater = parametrizations.some(({ tiedTo }) => tiedTo !== undefined);
  writeFileSync(recipePath, JSON.stringify({ version: isLater ? 2 : 1, parametrizations }));
  return call('apply', recipePath, input, '-o', output);
}

const W = [
  [3, 4],
  [0, 2],
  [1, 0],
];
const transposeOfW = [
  [3, 0, 1],
  [4, 2, 0],
];
const parts = {
  'embed.parametrizations.weight.original0': [[5], [2], [1]],
  'embed.parametrizations.weight.original1': W,
};

describe('apply with a recipe of ties', () => {
  it.each<[string, Values, Record<string, string>, true?]>([
    ['is absent', { 'embed.weight': W }, {}],
    ['is absent and transposed', { 'embed.weight': W }, {}, true],
    ['has the same value', { 'embed.weight': W, 'out.weight': W }, {}],
    ['has the transposed value', { 'embed.weight': W, 'out.weight': transposeOfW }, {}, true],
    ['is another name of the source', { 'embed.weight': W }, { 'out.weight': 'embed.weight' }],
    ['has the source as another name', { 'out.weight': W }, { 'embed.weight': 'out.weight' }],
    ['is there without its source', { 'out.weight': W }, {}],
    ['is there, transposed, without its source', { 'out.weight': transposeOfW }, {}, true],
  ])('ties a tensor that %s, and a model follows it', async (_, values, metadata, transpose) => {
    await write(values, metadata);
    const { code, error, out } = await applied(tied('out', 'embed', transpose), normed('embed'));
    expect([code, error]).toEqual([0, '']);
    expect(out).toContain('parametrized 1 tensor\ntied 1 tensor');
    const { values: written, others, recipe } = read(output);
    expect(written).toEqual(parts);
    expect(others).toEqual({});
    const inspected = await call('inspect', output);
    const how = transpose ? ', transposed' : '';
    expect(inspected.out).toContain(`tied by the recipe: out.weight = embed.weight${how}\n`);
    class Tied extends nn.Module {
      embed = new nn.Embedding(3, 2);
      out = transpose ? new nn.Linear(3, 2, { bias: false }) : new nn.Linear(2, 3, { bias: false });

      override forward(x: tf.Tensor): tf.Tensor {
        return x;
      }
    }
    const model = new Tied();
    await loadCheckpoint(model, output, { catalog });
    expect(recipeOf(model).parametrizations).toEqual(
      expect.arrayContaining(recipe!.parametrizations.slice()),
    );
    const read2 = tf.tidy(() => model.out.weight.arraySync());
    expect(read2).toEqual(transpose ? transposeOfW : W);
    model.dispose();
  });

  it('follows ties to tied tensors, and leaves those that the file has as they are', async () => {
    await write({ 'a.weight': W, 'b.weight': transposeOfW, 'c.weight': W });
    const ties = [tied('c', 'b', true), tied('b', 'a', true)];
    expect(await applied(...ties)).toMatchObject({ code: 0, error: '' });
    expect(read(output)).toEqual({
      values: { 'a.weight': W },
      others: {},
      recipe: { version: 2, parametrizations: ties },
    });
    writeFileSync(input, readFileSync(output));
    const again = await applied(tied('c', 'a'), normed('a'));
    expect(again.out).not.toContain('tied');
    expect(read(output).recipe!.parametrizations).toEqual([...ties, expect.objectContaining({ path: 'a' })]);
    expect((await call('inspect', output)).out).toContain(
      '1 of 1 tensor parametrized, 6 of 6 elements (100 %)',
    );
  });

  it('merges a tensor with the value of a source that the file computes', async () => {
    await write({ ...parts, 'out.weight': W });
    expect(await applied(tied('out', 'embed'))).toMatchObject({ code: 0, error: '' });
    expect(read(output).values).toEqual(parts);
    await write({ ...parts, 'out.weight': W.map((row) => row.map((x) => x + 0.1)) });
    expect((await applied(tied('out', 'embed'))).error).toContain('other values under the two names');
  });

  it('takes one of several names of a tensor, and refuses steps if a name is left over', async () => {
    await write({ 'embed.weight': W }, { 'out.weight': 'embed.weight', 'last.weight': 'embed.weight' });
    expect((await applied(tied('out', 'embed'), normed('embed'))).error).toContain('several names');
    expect(await applied(tied('out', 'embed'))).toMatchObject({ code: 0 });
    expect(read(output).others).toEqual({ 'last.weight': 'embed.weight' });
    expect(await applied(tied('out', 'embed'), tied('last', 'out'), normed('embed'))).toMatchObject({
      code: 0,
    });
    expect(read(output).values).toEqual(parts);
  });

  it('is undone by fold, which gives each tensor its value', async () => {
    await write({ 'net.embed.weight': W, 'net.out.weight': transposeOfW, 'net.last.weight': W });
    await applied(tied('net.out', 'net.embed', true), tied('net.last', 'net.embed'), normed('net.embed'));
    const folded = join(folder, 'folded.safetensors');
    expect(await call('fold', output, '-o', folded)).toMatchObject({ code: 0, error: '' });
    expect(read(folded)).toEqual({
      values: { 'net.embed.weight': W, 'net.out.weight': transposeOfW },
      others: { 'net.last.weight': 'net.embed.weight' },
      recipe: null,
    });
    await call('fold', output, '-o', folded, '--exclude', '*embed*');
    expect(read(folded)).toEqual(read(output));
    await call('convert', output, '-o', folded, '--key-format', 'legacy', '--prefix', 'net');
    expect(read(folded).recipe!.parametrizations).toEqual([
      { ...normed('embed'), steps: [{ kind: 'weightNorm', options: { dim: [0], eps: 0, scale: 'linear' } }] },
      tied('out', 'embed', true),
      tied('last', 'embed'),
    ]);
    const { code, error } = await call('inspect', output, '--prefix', 'net.last');
    expect([code, error]).toEqual([1, expect.stringContaining("which is not below 'net.last'")]);
    await write({ 'net.embed.weight': W });
    await applied(tied('net.last', 'net.embed'));
    expect((await call('inspect', output, '--prefix', 'net.last')).out).toMatch(/^weight +F32 +\[3, 2\]/m);
  });

  it('is refused for other values and shapes, circles, unknown sources and steps of tied tensors', async () => {
    const other = [...W.slice(1), [9, 9]];
    const refusals: string[] = [];
    const refused = async (values: Values, entries: Entry[], metadata: Record<string, string> = {}) => {
      await write(values, metadata);
      const { code, error } = await applied(...entries);
      refusals.push(`${code} ${error}`);
      expect(existsSync(output)).toBe(false);
    };
    const both = { 'embed.weight': W, 'out.weight': other };
    await refused(both, [tied('out', 'embed')]);
    await refused(both, [tied('out', 'embed', true)]);
    await refused(both, [tied('out', 'embed'), tied('embed', 'out')]);
    await refused(both, [tied('out', 'out')]);
    await refused(both, [tied('out', 'embed'), tied('out', 'other')]);
    await refused(both, [tied('out', 'embed'), normed('out')]);
    await refused({ 'embd.weight': W }, [tied('out', 'embed')]);
    await refused({ ...parts }, [tied('embed', 'out')]);
    await refused({ 'embed.weight': W }, [normed('embed'), normed('embed')]);
    const recipe = JSON.stringify({ version: 2, parametrizations: [tied('out', 'embed')] });
    await refused({ 'embed.weight': W }, [tied('out', 'embed', true)], { 'tfjs-parametrize': recipe });
    await refused({ 'embed.weight': W }, [normed('out')], { 'tfjs-parametrize': recipe });
    writeFileSync(recipePath, '[{ "match": "{out,embed}", "apply": "weightNorm" }]');
    await write({ 'embed.weight': W }, { 'tfjs-parametrize': recipe });
    refusals.push((await call('apply', recipePath, input, '-o', output)).out.split('\n')[1]!);
    expect(refusals).toMatchInlineSnapshot(`
      [
        "1 error: 'out.weight' is tied to 'embed.weight', and the file has other values under the two names. Leave the tie out of the recipe, or one of the tensors out of the file. [CONFLICT]",
        "1 error: 'out.weight' is tied to the transpose of 'embed.weight', and they have the shapes [3, 2] and [3, 2]. Correct the tie of the recipe. [SHAPE]",
        "1 error: 'embed.weight' would be tied to itself. Correct its tiedTo in the recipe. [CYCLE]",
        "1 error: 'out.weight' would be tied to itself. Correct its tiedTo in the recipe. [CYCLE]",
        "1 error: 'out.weight' is tied to 'embed.weight' already, and the recipe ties it to 'other.weight'. Leave the tie out of the recipe. [CONFLICT]",
        "1 error: 'out.weight' is tied to 'embed.weight', and has no steps of its own. Leave it out; its source may have steps. [TIED]",
        "1 error: 'out.weight' is tied to 'embed.weight', and the file has neither (nearest: 'embd.weight'). Correct the paths of the recipe, or pass --prefix. [UNKNOWN_TENSOR]",
        "1 error: the tensor 'embed.weight' of the file is parametrized already, and the recipe ties it to 'out.weight'. Fold the file first, or leave the tensor out of the recipe. [CONFLICT]",
        "1 error: two entries of the recipe are about 'embed.weight'. Leave one of the entries out of the recipe. [CONFLICT]",
        "1 error: 'out.weight' is tied to 'embed.weight' already, and the recipe ties it to the transpose of 'embed.weight'. Leave the tie out of the recipe. [CONFLICT]",
        "1 error: 'out.weight' is tied to 'embed.weight', and has no steps of its own. Leave it out; its source may have steps. [TIED]",
        "skipped: out.weight, it is tied to 'embed.weight'",
      ]
    `);
  });
});
