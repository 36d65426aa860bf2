import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors, saveCheckpoint, writeSafetensors } from '../../src/checkpoint/index.ts';
import {
  maxNorm,
  minMaxNorm,
  nn,
  nonNeg,
  orthogonal,
  skew,
  spectralNorm,
  symmetric,
  unitNorm,
  weightNorm,
} from '../../src/index.ts';
import { catalog } from '../../src/model/catalog.ts';
import { registerRecipes } from '../../src/stateDict/registerRecipes.ts';
import { tensorRecipes } from '../../src/stateDict/tensorRecipes.ts';
import { packageFolder } from '../packageFolder.ts';
import { call } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-fold-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [input, output] = [join(folder, 'in.safetensors'), join(folder, 'out.safetensors')];

const fileIn = (path: string) => readSafetensors(new Uint8Array(readFileSync(path)));

/** What a model is folded to, by the command line and by the model. */
async function expectFolded(model: nn.Module, relative = 1e-6): Promise<void> {
  const result = await call('fold', input, '-o', output);
  expect(result).toMatchObject({ code: 0, error: '' });
  const { tensors, metadata } = fileIn(output);
  const folded = model.stateDict({ keyFormat: 'folded' });
  expect(Object.keys(tensors).sort()).toEqual(Object.keys(folded).sort());
  for (const [key, value] of Object.entries(folded)) {
    expect(tensors[key]!, key).toBeAllClose(value, { relative, absolute: 1e-7 });
  }
  expect(metadata['tfjs-parametrize']).toBeUndefined();
  tf.dispose([tensors, folded]);
}

const square = (): nn.Linear => new nn.Linear(4, 4);

type Chain = [name: string, plain: () => nn.Module, register: (module: never) => nn.Module];

const orthogonals = (['matrixExp', 'cayley', 'householder'] as const).flatMap((orthogonalMap): Chain[] =>
  [true, false].map((useTrivialization) => [
    `orthogonal by ${orthogonalMap}, ${useTrivialization ? 'with' : 'without'} a base`,
    orthogonalMap === 'householder' ? () => new nn.Linear(5, 3) : square,
    (module) => orthogonal(module, 'weight', { orthogonalMap, useTrivialization }),
  ]),
);

const chains: Chain[] = [
  ...orthogonals,
  ['symmetric', square, (module) => symmetric(module)],
  ['skew', square, (module) => skew(module)],
  ['maxNorm', square, (module) => maxNorm(module, 'weight', { maxValue: 0.5, axis: 1 })],
  ['minMaxNorm', square, (module) => minMaxNorm(module, 'weight', { minValue: 2, maxValue: 3, axis: 0 })],
  ['nonNeg', square, (module) => nonNeg(module)],
  ['unitNorm', square, (module) => unitNorm(module, 'weight', { axis: 1 })],
  ['weightNorm with a bound', square, (module) => weightNorm(module, 'weight', { dim: 1, eps: 5 })],
  ['spectralNorm of a vector', square, (module) => spectralNorm(module, 'bias')],
  ['spectralNorm of a cube', () => new nn.ConvTranspose1d(4, 4, 16), (module) => spectralNorm(module)],
  ['weightNorm, then nonNeg', square, (module) => nonNeg(weightNorm(module))],
  ['symmetric, then orthogonal', square, (module) => orthogonal(symmetric(module))],
  ['two tensors', square, (module) => maxNorm(orthogonal(module), 'bias', { maxValue: 0.1, axis: 0 })],
];

describe('fold, by the recipe in the file,', () => {
  it.each(chains)('computes %s as the model does', async (_, plain, register) => {
    for (const keyFormat of ['modern', 'legacy'] as const) {
      const model = new nn.Sequential(new nn.Linear(2, 3), register(plain() as never)).eval();
      await saveCheckpoint(model, input, { keyFormat });
      await expectFolded(model);
      model.dispose();
    }
  });

  it.each(chains)('registers %s from its recipe as it was', (_, plain, register) => {
    const [model, copy] = [register(plain() as never), plain()];
    registerRecipes(copy, tensorRecipes(model), catalog);
    expect(tensorRecipes(copy)).toEqual(tensorRecipes(model));
    model.dispose();
    copy.dispose();
  });

  it('computes an original that is parametrized itself', async () => {
    const layer = weightNorm(square());
    symmetric(
      (layer.parametrizations as unknown as Record<'weight', { original1: tf.Tensor }>).weight,
      'original1',
    );
    const model = new nn.Sequential(layer);
    await saveCheckpoint(model, input);
    await expectFolded(model);
    const { out } = await call('inspect', input);
    expect(out).toMatch(
      /^0\.weight +weightNorm\(dim=\[0\], eps=0, scale="linear"\); original1: symmetric\(lower=false\) +modern +2$/m,
    );
    const { parametrized } = JSON.parse((await call('inspect', input, '--json')).out);
    expect(parametrized[0].recipe).toEqual([
      { tensor: '0.weight', steps: [{ kind: 'weightNorm', options: { dim: [0], eps: 0, scale: 'linear' } }] },
      {
        tensor: '0.parametrizations.weight.original1',
        steps: [{ kind: 'symmetric', options: { lower: false } }],
      },
    ]);
    model.dispose();
  });

  it('leaves out the state of an optimizer, which inspect tells', async () => {
    const model = new nn.Sequential(weightNorm(square()));
    const optimizer = tf.train.adam(0.5);
    const loss = (): tf.Scalar => tf.sum((model[0] as nn.Linear).weight);
    optimizer.minimize(loss, false, model.parameters());
    await saveCheckpoint(model, input, { optimizer });
    const { out } = await call('inspect', input);
    expect(out).toMatch(/^optimizer Adam: the state of 3 parameters after 1 step, learning rate 0\.5$/m);
    expect(out).not.toMatch(/metadata tfjs-parametrize/);
    await call('fold', input, '-o', output);
    const { tensors, metadata } = fileIn(output);
    expect([Object.keys(tensors), metadata]).toEqual([['0.bias', '0.weight'], { format: 'pt' }]);
    tf.dispose(tensors);
    optimizer.dispose();
    model.dispose();
  });

  it('computes a tensor whose recipe freezes an original, which inspect tells', async () => {
    const layer = weightNorm(square());
    (
      layer.parametrizations as unknown as Record<'weight', { original1: tf.Variable }>
    ).weight.original1.trainable = false;
    const model = new nn.Sequential(layer);
    await saveCheckpoint(model, input);
    await expectFolded(model);
    const { out } = await call('inspect', input);
    expect(out).toMatch(
      /^0\.weight +weightNorm\(dim=\[0\], eps=0, scale="linear"\), frozen: original1 +modern +2$/m,
    );
    const { parametrized } = JSON.parse((await call('inspect', input, '--json')).out);
    expect(parametrized[0].recipe[0].frozen).toEqual(['original1']);
    model.dispose();
  });

  it('computes what stands below a path, whose recipe inspect shows and convert keeps', async () => {
    const encoder = new nn.Sequential(orthogonal(square()), weightNorm(square()));
    const model = new nn.Sequential(encoder, symmetric(square()));
    await saveCheckpoint(model, input);
    const { out } = await call('inspect', input, '--prefix', '0', '--json');
    expect(JSON.parse(out).parametrized).toMatchObject([
      { name: '0.weight', by: 'orthogonal' },
      { name: '1.weight', by: 'weightNorm' },
    ]);
    const part = join(folder, 'part.safetensors');
    await call('convert', input, '-o', part, '--key-format', 'legacy', '--prefix', '0.');
    await call('fold', part, '-o', output);
    const { tensors } = fileIn(output);
    await call('fold', input, '-o', output, '--prefix', '0');
    const { tensors: direct } = fileIn(output);
    const folded = encoder.stateDict({ keyFormat: 'folded' });
    for (const key of Object.keys(folded)) {
      expect(tensors[key]!, key).toBeAllClose(folded[key]!);
      expect(direct[key]!, key).toBeAllClose(folded[key]!);
    }
    tf.dispose([tensors, direct, folded]);
    model.dispose();
  });

  it('is not told to be a weight norm by the names of one: legacy names are for that alone', async () => {
    const model = nonNeg(weightNorm(square()));
    await saveCheckpoint(model, input);
    await call('convert', input, '-o', output, '--key-format', 'legacy');
    const { tensors } = fileIn(output);
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(model.stateDict()).sort());
    tf.dispose(tensors);
    model.dispose();
  });

  it.each([
    [
      'a kind of your own',
      (text: string) => text.replace('orthogonal', 'mine'),
      /'mine', which this program does not know.*keyFormat: 'folded'.*\[UNKNOWN_RECIPE\]/,
    ],
    [
      'a name of Object.prototype',
      (text: string) => text.replace('orthogonal', 'toString'),
      /\[UNKNOWN_RECIPE\]/,
    ],
    [
      'another kind',
      (text: string) => text.replace('orthogonal', 'weightNorm'),
      /does not fit its tensors.*\[CORRUPT\]/,
    ],
    [
      'options that make no sense',
      (text: string) => text.replace('matrixExp', 'guess'),
      /does not fit its tensors.*\[CORRUPT\]/,
    ],
    [
      'steps without end',
      (text: string) =>
        text.replace('"steps":[', `"steps":[${'{"kind":"nonNeg","options":{}},'.repeat(100)}`),
      /\[LIMIT\]/,
    ],
    ['a later version', (text: string) => text.replace('"version":1', '"version":3'), /\[UNKNOWN_RECIPE\]/],
    ['no JSON', (text: string) => text.slice(1), /\[CORRUPT\]/],
    [
      'nothing about the weight',
      () => '{"version":1,"parametrizations":[]}',
      /neither its names nor a recipe.*\[UNSUPPORTED\]/,
    ],
  ])('is refused with %s, and writes nothing', async (_, change, text) => {
    const target = join(folder, 'never.safetensors');
    const model = orthogonal(square());
    await saveCheckpoint(model, input);
    const { tensors, metadata } = fileIn(input);
    const recipe = change(metadata['tfjs-parametrize']!);
    writeFileSync(input, await writeSafetensors(tensors, { 'tfjs-parametrize': recipe }));
    const { code, error } = await call('fold', input, '-o', target);
    expect([code, error]).toEqual([1, expect.stringMatching(text)]);
    expect(existsSync(target)).toBe(false);
    tf.dispose(tensors);
    model.dispose();
  });
});

/** A file of such tensors, without a recipe. */
async function writeInput(tensors: tf.NamedTensorMap): Promise<void> {
  writeFileSync(input, await writeSafetensors(tensors));
}

describe('fold, by names alone,', () => {
  it('computes in plain numbers what the modules compute', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.constantFrom('weightNorm', 'one norm', 'spectralNorm'),
        fc.boolean(),
        async (shape, seed, kind, isLegacy) => {
          const rank = shape.length;
          // Of several axes with one length the module takes the first, the numbers the one that the vectors are of.
          const isSpectral = kind === 'spectralNorm';
          const v = tf.randomNormal(shape, 0, 1, 'float32', seed);
          const dim = isSpectral ? shape.indexOf(shape[seed % rank]!) : seed % rank;
          const rows = shape[dim]!;
          const state: tf.NamedTensorMap = tf.tidy(() => {
            if (!isSpectral) {
              const sizes = kind === 'one norm' ? [] : shape.map((size, axis) => (axis === dim ? size : 1));
              const g = tf.randomNormal(sizes, 0, 1, 'float32', seed + 1);
              return isLegacy
                ? { weight_g: g, weight_v: v.clone() }
                : { 'parametrizations.weight.original0': g, 'parametrizations.weight.original1': v.clone() };
            }
            const order = [dim, ...shape.keys()].filter((axis, i, all) => all.indexOf(axis) === i);
            const matrix = v.transpose(order).reshape([rows, -1]);
            const left = tf.randomNormal([rows], 0, 1, 'float32', seed + 1) as tf.Tensor1D;
            const right = tf.dot(left, matrix);
            const vectors = { u: left, v: right };
            return isLegacy
              ? { weight_orig: v.clone(), weight_u: vectors.u, weight_v: vectors.v }
              : {
                  'parametrizations.weight.original': v.clone(),
                  'parametrizations.weight.0._u': vectors.u,
                  'parametrizations.weight.0._v': vectors.v,
                };
          });
          await writeInput(state);
          const host = new Holder(shape);
          host.loadStateDict(state);
          expect(await call('fold', input, '-o', output)).toMatchObject({ code: 0 });
          const { tensors } = fileIn(output);
          if (!isSpectral || new Set(shape).size === rank) {
            expect(tensors['weight']!).toBeAllClose(host.weight, { relative: 1e-4, absolute: 1e-6 });
          }
          host.dispose();
          tf.dispose([v, state, tensors]);
        },
      ),
    );
  });

  it('reads spectral norm as torch before 1.0 saved it: the value instead of the right vector', async () => {
    const model = spectralNorm(new nn.Linear(4, 3)).eval();
    const state = model.stateDict({ keyFormat: 'folded' });
    const { original, _u, _v } = {
      original: model.stateDict()['parametrizations.weight.original']!,
      _u: model.stateDict()['parametrizations.weight.0._u']!,
      _v: model.stateDict()['parametrizations.weight.0._v']!,
    };
    await writeInput({ weight: state['weight']!, weight_orig: original, weight_u: _u, bias: state['bias']! });
    await expectFolded(model);
    for (const keyFormat of ['modern', 'legacy'] as const) {
      const converted = join(folder, 'converted.safetensors');
      await call('convert', input, '-o', converted, '--key-format', keyFormat);
      const { tensors } = fileIn(converted);
      expect(Object.keys(tensors).sort()).toEqual(Object.keys(model.stateDict({ keyFormat })).sort());
      const right = tensors[keyFormat === 'modern' ? 'parametrizations.weight.0._v' : 'weight_v']!;
      expect(right).toBeAllClose(_v, { relative: 1e-2, absolute: 1e-2 });
      tf.dispose(tensors);
      // The vectors that were made give the value that was saved.
      await call('fold', converted, '-o', output);
      const again = fileIn(output);
      expect(again.tensors['weight']!).toBeAllClose(state['weight']!, { relative: 1e-5 });
      tf.dispose(again.tensors);
    }
    tf.dispose(state);
    model.dispose();
  });
});

/** A plain weight of any shape. */
class Holder extends nn.Module {
  readonly weight: tf.Tensor;
  constructor(shape: number[]) {
    super();
    this.weight = nn.parameter(() => tf.zeros(shape));
  }
  forward(): tf.Tensor {
    return this.weight;
  }
}

describe('the program', () => {
  it('loads a backend when a recipe needs one', async () => {
    const model = orthogonal(square());
    await saveCheckpoint(model, input);
    const { main, remove } = await packageFolder();
    const args = [main, 'fold', input, '-o', output];
    expect(spawnSync(process.execPath, args, { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/: 2 tensors, \d+ bytes\n$/),
      stderr: '',
    });
    remove();
    const [{ tensors }, folded] = [fileIn(output), model.stateDict({ keyFormat: 'folded' })];
    expect(tensors['weight']!).toBeAllClose(folded['weight']!);
    tf.dispose([tensors, folded]);
    model.dispose();
  });
});
